import type { Worker } from 'bullmq';
import { FluxError, messageOf } from '../src/errors.ts';
import { replyCodeOf } from '../src/redis/away.ts';
import type { Rest } from './rest.ts';

const SHORTEST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * BullMQ asks for the next job again at once when Redis refuses to give one, as often as the machine can. So the worker is paused for
 * a while, longer each time, and each kind of refusal is told once. Lost connections and lost locks come here too; BullMQ mends both.
 */
export function pauseWhenRefused(worker: Worker, rest: Rest, stage: string, onTrouble: (error: unknown) => void): void {
  const told = new Set<string>();
  let pauseMs = SHORTEST_PAUSE_MS;

  worker.on('error', (error) => {
    const reply = replyCodeOf(error);
    if (reply === undefined) return;
    if (!told.has(reply)) {
      told.add(reply);
      onTrouble(refused(error, stage));
    }
    if (worker.isPaused()) return;
    rest(pauseMs);
    pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
  });
  worker.on('active', () => {
    pauseMs = SHORTEST_PAUSE_MS;
    told.clear();
  });
}

function refused(error: unknown, stage: string): FluxError {
  const hint = error instanceof FluxError ? error.hint : undefined;
  const message = `The ${stage} queue is at a stop: ${messageOf(error)}`;
  return new FluxError('redis-refused', message, { ...(hint === undefined ? {} : { hint }), cause: error });
}
