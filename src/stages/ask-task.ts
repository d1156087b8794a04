import { setTimeout as sleep } from 'node:timers/promises';
import type { Submitted } from '../items/item.ts';
import type { PollOutcome } from '../provider/provider.ts';
import { leftToCalled } from './poll-timing.ts';
import type { Ports, Run } from './ports.ts';

/** One 404 for a known task may come from a replica or a gateway. So many in a row, a moment apart, are believed. */
const DENIALS = 3;
const DENIAL_DELAY_MS = 500;

/** `slotEnded`: when Redis knows that the slot is not used any more. Nothing that follows from the answer waits for it. */
export type Asked = { outcome: PollOutcome; slotEnded: Promise<void> };

/** Asks again where a single 404 would give the task up. Undefined when the process drains before its turn. */
export async function askSurely(task: Submitted, run: Run, ports: Ports): Promise<Asked | undefined> {
  for (let count = 1; ; count++) {
    const asked = await ask(task, run, ports);
    const isFresh = ports.now() < task.submittedAt + ports.settings.unknownTaskGraceMs;
    if (asked?.outcome.kind !== 'not-found' || isFresh || count === DENIALS) return asked;
    await asked.slotEnded;
    await sleep(DENIAL_DELAY_MS, undefined, { signal: run.signal }).catch(() => {});
  }
}

/** One request within the rate limit; undefined when the process drains before its turn. */
async function ask(task: Submitted, run: Run, ports: Ports): Promise<Asked | undefined> {
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
  const outcome = await ports.provider.poll(task.taskId, { onSent: () => slot.sent() });
  const isOverRate = outcome.kind === 'refused' && outcome.refusal === 'rate-limited';
  return { outcome, slotEnded: isOverRate ? slot.refuse(outcome.retryAfterMs) : slot.settle() };
}
