import { setTimeout as sleep } from 'node:timers/promises';
import type { Submitted } from '../items/item.ts';
import type { PollOutcome } from '../provider/provider.ts';
import { leftToCalled } from './poll-timing.ts';
import type { Ports, Run } from './ports.ts';

/** One 404 for a known task may come from a replica or a gateway. So many in a row, a moment apart, are believed. */
const DENIALS = 3;
const DENIAL_DELAY_MS = 500;

/** Asks again where a single 404 would give the task up. Undefined when the process drains before its turn. */
export async function askSurely(task: Submitted, run: Run, ports: Ports): Promise<PollOutcome | undefined> {
  for (let asked = 1; ; asked++) {
    const outcome = await ask(task, run, ports);
    const isFresh = ports.now() < task.submittedAt + ports.settings.unknownTaskGraceMs;
    if (outcome?.kind !== 'not-found' || isFresh || asked === DENIALS) return outcome;
    await sleep(DENIAL_DELAY_MS, undefined, { signal: run.signal }).catch(() => {});
  }
}

/** One request within the rate limit; undefined when the process drains before its turn. */
async function ask(task: Submitted, run: Run, ports: Ports): Promise<PollOutcome | undefined> {
  const slot = await ports.pollLimiter
    .take({ leadMs: 0, goesOut: true, leaves: await leftToCalled(task, run, ports), signal: run.signal })
    .catch((error: unknown) => {
      if (run.signal.aborted) return undefined;
      throw error;
    });
  if (!slot) return undefined;
  try {
    await slot.ready();
  } catch (error) {
    await slot.release();
    if (run.signal.aborted) return undefined;
    throw error;
  }
  const outcome = await ports.provider.poll(task.taskId);
  if (outcome.kind === 'refused' && outcome.refusal === 'rate-limited') await slot.refuse(outcome.retryAfterMs);
  else await slot.settle();
  return outcome;
}
