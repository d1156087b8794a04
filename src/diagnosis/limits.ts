import type { BatchCounts } from '../batch/counts.ts';
import { formatDuration } from '../text/duration.ts';
import { plural } from '../text/terminal.ts';
import { isTasksFull, type Limited, limitedAccounts, pacesOf, prefixOf, takingLanes, useOf } from './accounts.ts';
import { type Finding, finding } from './finding.ts';
import type { RateUse, Snapshot } from './snapshot.ts';
import { workersByStage } from './workers.ts';

/** What the provider refused so long ago does not slow anything down any more, unless a lower limit was learned from it. */
const REFUSED_LATELY_MS = 60_000;
/** Work that has waited for a shorter time waits for its turn and not for more hands. */
const POLLS_LATE_MS = 5_000;
/** So much of what a limit permits is all of it, as far as one look can tell. */
const FULL = 0.9;
const ARCHIVING_LATE_MS = 10_000;
/** A task that runs longer than three times what nearly all took, and than this, is slow. */
const SLOW_TIMES = 3;
const SLOW_AT_LEAST_MS = 120_000;
const LONG_WITHOUT_SAMPLES_MS = 60_000;

export function slowness(snapshot: Snapshot): Finding[] {
  const { tasks, queues, durations, at } = snapshot;
  const accounts = limitedAccounts(snapshot);
  return [
    ...accounts.flatMap((account) => [
      ...refusedForRate('submit', account, at),
      ...refusedForRate('poll', account, at),
    ]),
    ...(tasks.oldestAt !== null && at - tasks.oldestAt > slowAfterMs(durations)
      ? [
          finding(
            'provider-slow',
            `the provider is slow: ${plural(tasks.running, 'task')} under way, the oldest for ${formatDuration(at - tasks.oldestAt)}${usual(durations)}`,
            'nothing to do: they are polled until FLUX_POLL_GIVE_UP, and held after that',
          ),
        ]
      : []),
    ...(workersByStage(snapshot).archive > 0 && (queues.archive.lateMs ?? 0) > ARCHIVING_LATE_MS
      ? [
          finding(
            'archive-busy',
            `archiving does not keep up: ${plural(waitingIn(queues.archive), 'image')}, the oldest for ${formatDuration(queues.archive.lateMs ?? 0)}`,
            'flux-batch worker archive on another machine, or a larger --archive-concurrency',
          ),
        ]
      : []),
    ...accounts.flatMap((account) => latePolls(account, queues.poll.lateMs ?? 0)),
  ];
}

function latePolls(account: Limited, lateMs: number): Finding[] {
  const { name, rates, limitNames } = account;
  if (!isFull(rates.poll) || lateMs <= POLLS_LATE_MS) return [];
  return [
    finding(
      'poll-rate',
      `${prefixOf(account)}polls wait for the poll limit: ${useOf(rates.poll)}, the oldest is ${formatDuration(lateMs)} late`,
      `a larger ${limitNames.polls} where the account permits it, or callbacks (FLUX_CALLBACK_URL)`,
      { ...(name !== undefined && { lane: name }) },
    ),
  ];
}

function refusedForRate(which: 'submit' | 'poll', account: Limited, now: number): Finding[] {
  const { name, rates, limitNames } = account;
  const { refused, refusedAt, pausedMs, limit, configured, windowMs } = rates[which];
  const lately = refusedAt !== null && now - refusedAt < REFUSED_LATELY_MS;
  if (!lately && limit >= configured) return [];
  const pause = pausedMs > 0 ? `, paused for ${formatDuration(pausedMs)}` : '';
  const learned =
    limit < configured ? `; the limit in force is ${limit} of ${configured} in ${formatDuration(windowMs)}` : '';
  return [
    finding(
      'rate-refused',
      `${prefixOf(account)}the provider refuses ${which}s for their rate (429): ${refused} so far${pause}${learned}`,
      `does another program use this account? Else lower ${which === 'submit' ? limitNames.rate : limitNames.polls}`,
      { ...(name !== undefined && { lane: name }) },
    ),
  ];
}

/** What decides how fast it goes on while nothing is wrong. */
export function pacedBy(snapshot: Snapshot, live: readonly BatchCounts[]): Finding | null {
  const sum = (of: (counts: BatchCounts) => number) => live.reduce((total, counts) => total + of(counts), 0);
  const toSubmit = sum(({ items, overBudget }) => items.queued + items.submitting - overBudget.items);
  const underWay = sum(({ items }) => items.submitted + items.finished);
  if (toSubmit > 0) return pacedByLimits(snapshot);
  if (underWay > 0) {
    const what = `${plural(underWay, 'image')} under way, all is submitted`;
    return finding('generating', what, 'as it should be: the provider is at work');
  }
  const open = live.find(({ sealed }) => !sealed);
  if (!open) return null;
  const what = `${open.batch} is being enqueued`;
  return finding('enqueueing', what, 'if nobody does that any more, enqueue the manifest again', { batch: open.batch });
}

function pacedByLimits(snapshot: Snapshot): Finding {
  const taking = takingLanes(snapshot);
  const limited = taking.length > 0 ? taking : limitedAccounts(snapshot).slice(0, 1);
  const remedy = (which: 'rate' | 'tasks') =>
    `as it should be; ${[...new Set(limited.map(({ limitNames }) => limitNames[which]))].join(', ')}, where the account permits more`;
  if (snapshot.lanes.length > 1 && taking.length > 0) {
    const paces = pacesOf(taking);
    return taking.every(isTasksFull)
      ? finding('task-limit', `as many tasks run as the accounts permit: ${paces}`, remedy('tasks'))
      : finding('submit-rate', `submits go out as the limits of the accounts permit: ${paces}`, remedy('rate'));
  }
  const { tasks, rates } = snapshot;
  if (isTasksFull({ tasks }))
    return finding('task-limit', `${tasks.running} of ${tasks.most} tasks run at the provider`, remedy('tasks'));
  const what = `submits go out as the rate limit permits: ${useOf(rates.submit)}`;
  return finding('submit-rate', what, remedy('rate'));
}

/**
 * The margin between two uses of a slot keeps a window from ever being quite full: of 10 in a second, with a tenth of a second between,
 * there are 9 and at times 8.
 */
const isFull = ({ inWindow, limit, windowMs, marginMs }: RateUse) =>
  inWindow >= Math.max(1, Math.floor(FULL * limit * (windowMs / (windowMs + marginMs))));
const waitingIn = ({ waiting, active, delayed }: Snapshot['queues']['archive']) => waiting + active + delayed;

function slowAfterMs(durations: Snapshot['durations']): number {
  return Math.max(SLOW_AT_LEAST_MS, SLOW_TIMES * (durations?.longMs ?? LONG_WITHOUT_SAMPLES_MS));
}

function usual(durations: Snapshot['durations']): string {
  return durations ? `, where they took ${formatDuration(durations.typicalMs)} lately` : '';
}
