import type { Submitted } from '../items/item.ts';
import type { PollOutcome } from '../provider/provider.ts';
import { isCalled } from './poll-timing.ts';
import type { Ports, Run, StageOutcome } from './ports.ts';
import type { Remembered } from './remembered.ts';
import { warnOfStorm } from './storm-log.ts';

/** The wait after a poll that was refused or not answered. Such a poll costs nothing but time. It doubles while nothing is answered. */
export const TROUBLE_DELAY_MS = 3_000;
export const LONGEST_TROUBLE_DELAY_MS = 30_000;
/** The same for a task that has ended, when the poll came too early for the provider's rate: the limiter has it wait as long as it must. */
const CALLED_AGAIN_MS = 250;

export type Unanswered = Extract<PollOutcome, { kind: 'refused' | 'unreachable' }>;

/** When to ask again. Undefined once even the task's stored image is gone. */
export function afterUnanswered(
  task: Submitted,
  outcome: Unanswered,
  run: Run,
  ports: Pick<Ports, 'now' | 'log' | 'faults' | 'settings'>,
): StageOutcome | undefined {
  const now = ports.now();
  // A 429 has its own pause, which ends sooner.
  const isPaused = outcome.kind === 'refused' && outcome.refusal === 'rate-limited';
  tell(task, outcome.message, isPaused, ports);
  const diesAt = task.submittedAt + ports.settings.storedTtlMs;
  if (now >= diesAt) return undefined;
  const { remembered } = run;
  const unanswered = (remembered.unanswered ?? 0) + (isPaused ? 0 : 1);
  const leastMs = isPaused && isCalled(run) ? CALLED_AGAIN_MS : TROUBLE_DELAY_MS;
  const waitMs = Math.min(LONGEST_TROUBLE_DELAY_MS, leastMs * 2 ** Math.min(Math.max(0, unanswered - 1), 10));
  return {
    kind: 'later',
    atMs: Math.min(diesAt, now + waitMs * (0.75 + Math.random() * 0.5)),
    remember: {
      ...{ ...remembered, unanswered, unansweredSince: remembered.unansweredSince ?? now },
      ...(isCalled(run) && { called: true }),
    },
  };
}

function tell(
  task: Submitted,
  reason: string,
  isPaused: boolean,
  { log, faults, settings }: Pick<Ports, 'log' | 'faults' | 'settings'>,
): void {
  const fields = { stage: 'poll', batch: task.batch, item: task.id, taskId: task.taskId, reason };
  if (isPaused) {
    const limit = settings.limitNames?.polls ?? 'FLUX_POLL_LIMIT';
    const remedy = `does another program use this account? ${limit} is what the account permits`;
    warnOfStorm(log, `poll-429 ${limit}`, { ...fields, remedy }, 'polls refused for their rate (429)');
  } else {
    const remedy =
      'nothing is lost: each is polled again; if it lasts, check FLUX_API_URL (BFL: BFL_API_URL) and the network';
    warnOfStorm(log, 'poll-unanswered', { ...fields, remedy }, 'polls not answered');
    faults.note('poll-unanswered', reason);
  }
}

/** All outages so far, the one that is just over included. */
export function unansweredMsOf({ unansweredMs = 0, unansweredSince }: Remembered, now: number): number {
  return unansweredMs + (unansweredSince === undefined ? 0 : now - unansweredSince);
}
