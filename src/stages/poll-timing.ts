import type { Submitted } from '../items/item.ts';
import { firstPollAt, nextPollAt } from './poll-schedule.ts';
import type { Ports, Run, StageOutcome } from './ports.ts';

/** A poll that comes earlier than this is put off; by less it would gain nothing. */
const EARLY_MS = 1_000;

/** The share of polls for tasks that nobody has called for, by the share of tasks that are called back: the others take about two. */
const POLLS_UNCALLED = 2;

type TimingPorts = Pick<Ports, 'now' | 'durations' | 'callbacks' | 'settings'>;

/** A callback has said that the task has ended, and no poll has been answered since. */
export function isCalled({ called, remembered }: Run): boolean {
  return called === true || remembered.called === true;
}

/** How many times the provider was asked, this run included. */
export function pollsOf({ runs, remembered }: Run): number {
  return Math.max(1, runs - (remembered.unasked ?? 0));
}

/** When to ask again for a task that runs; while its callback is likely to come, much later (epoch ms). */
export async function laterPollAt(task: Submitted, run: Run, ports: TimingPorts): Promise<number> {
  const [durations, share] = await Promise.all([
    ports.durations.sample(task.request.model),
    // It was called for already, and ran: early, or by somebody else.
    isCalled(run) || run.remembered.calledEarly ? 0 : shareOf(task, ports),
  ]);
  const lifeMs = ports.settings.originTtlMs;
  return nextPollAt({ submittedAt: task.submittedAt, now: ports.now(), durations, share, lifeMs });
}

/** When to ask for the first time (epoch ms). */
export async function earliestPollAt(task: Submitted, ports: TimingPorts): Promise<number> {
  const [durations, share] = await Promise.all([ports.durations.sample(task.request.model), shareOf(task, ports)]);
  return firstPollAt(task.submittedAt, durations, { share, lifeMs: ports.settings.originTtlMs });
}

/**
 * A first poll that was planned when callbacks stayed away comes too early once they come; and those that were drawn forward are all
 * there at once. Undefined where it is time.
 */
export async function putOffEarly(task: Submitted, run: Run, ports: TimingPorts): Promise<StageOutcome | undefined> {
  if (!ports.settings.callbackUrlOf || isCalled(run) || pollsOf(run) > 1) return undefined;
  const atMs = await earliestPollAt(task, ports);
  return atMs > ports.now() + EARLY_MS ? { kind: 'later', atMs, remember: unasked(run) } : undefined;
}

/** What is remembered of a run that asked nothing. */
export function unasked({ remembered }: Run) {
  return { ...remembered, unasked: (remembered.unasked ?? 0) + 1 };
}

/** The part of the poll limit that a poll leaves to those for tasks that were called back. */
export async function leftToCalled(task: Submitted, run: Run, ports: TimingPorts): Promise<number> {
  if (isCalled(run)) return 0;
  const share = await shareOf(task, ports);
  return share / (share + POLLS_UNCALLED * (1 - share));
}

/** Of a task that was called for while it ran it cannot be said whether a callback came in time. */
export async function noteCalled(
  { submittedAt, request: { model } }: Submitted,
  completedAt: number | undefined,
  run: Run,
  ports: TimingPorts,
): Promise<void> {
  if (!ports.settings.callbackUrlOf || (run.remembered.calledEarly && !isCalled(run))) return;
  const endedAt = Math.max(submittedAt, Math.min(completedAt ?? submittedAt, ports.now()));
  await ports.callbacks.note({ model, submittedAt, endedAt }, isCalled(run));
}

/** Without an address to be called at, no callback is waited for, whatever other processes do. */
async function shareOf(task: Submitted, { callbacks, settings }: TimingPorts): Promise<number> {
  return settings.callbackUrlOf ? callbacks.share(task.request.model) : 0;
}
