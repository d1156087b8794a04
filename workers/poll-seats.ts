import { unasked } from '../src/stages/poll-timing.ts';
import type { Run, StageOutcome } from '../src/stages/ports.ts';

const SHORTEST_WAIT_MS = 1_000;

/**
 * While the poll limit is all used, polls wait for their slots in the places of their worker. Those that no callback has asked for take
 * at most so many of them, so that one that a callback asks for finds a place. The others come again after about as long as such a poll
 * waits just now.
 */
export function pollSeats(most: number, now: () => number) {
  let taken = 0;
  let waitMs = SHORTEST_WAIT_MS;
  return async (run: Run, poll: () => Promise<StageOutcome>): Promise<StageOutcome> => {
    if (run.called) return poll();
    if (taken >= most)
      return { kind: 'later', atMs: now() + waitMs * (0.75 + Math.random() * 0.5), remember: unasked(run) };
    taken += 1;
    const startedAt = performance.now();
    try {
      return await poll();
    } finally {
      taken -= 1;
      waitMs = Math.max(SHORTEST_WAIT_MS, performance.now() - startedAt);
    }
  };
}
