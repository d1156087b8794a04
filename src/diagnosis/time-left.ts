import { type BatchCounts, hasEnded, isOnRoute } from '../batch/counts.ts';
import { formatDuration, type Rate } from '../text/duration.ts';
import type { Finding, Kind } from './finding.ts';
import { type Durations, lastEndsMs, meanMs, type Started } from './last-task.ts';
import type { RateUse, Snapshot } from './snapshot.ts';

/** `still`: nothing more comes of the batch until the finding is over. `unknown`: nothing that tells it is known yet. */
export type TimeLeft =
  | { kind: 'known'; ms: number }
  | { kind: 'still'; by: Finding }
  | { kind: 'unknown' }
  | { kind: 'ended' };

/** What a task takes as a rule, by the provider's own words "a few seconds to a minute": for as long as none was seen. */
export const ASSUMED = { typicalMs: 15_000, longMs: 30_000 };
/** A pace of fewer images, or over less time, tells little. */
const LEAST_LANDED = 5;
const LEAST_LANDED_MS = 2_000;
/** Jobs that are later than this wait for their stage, so that its pace is that of all. */
const LATE_MS = 2_000;
/** So much of a limit in use is all of it, as far as one look can tell. */
const SLACK = 0.8;
/** Between two polls a task may have ended for a while: this part of its age on average, by how polls are set (stages/poll-schedule.ts). */
const DISCOVERY = 0.06;
/** Where as many run as may, the next begins so long after one was known to have ended. */
const NEXT_TASK_MS = 200;
/** The last task to end is as a rule one of those that go out in the last windows, or as the last round of all that may run at once. */
const [WINDOWS, ROUNDS] = [3, 12];
/** Download, check and two writes, of one worker's eight at a time. */
export const ARCHIVING_MS = 600;
const ARCHIVED_AT_ONCE = 8;
const MANY_FINISHED = 3 * ARCHIVED_AT_ONCE;

/** Makes all that is left of a batch wait. */
const HOLDS_ALL: readonly Kind[] = [
  ...(['redis-unreachable', 'archive-denied', 'archive-full', 'archive-unreachable'] as const),
  ...(['no-worker', 'other-route', 'jobs-lost'] as const),
];
const HOLDS_SUBMITS: readonly Kind[] = [
  ...(['key-refused', 'out-of-credits', 'api-not-found', 'api-unreachable', 'api-maintenance'] as const),
  ...(['too-many-unknown', 'submitting-stopped', 'paused'] as const),
];

/** The slots of a limit: how many may be used at once, how many in each window, and when the first and the last of those in use come free. */
export type Slots = { free: number; rate: Rate; firstMs: number; lastMs: number };
export type Work = {
  toSubmit: number;
  /** The tasks that run, by when they began. */
  running: readonly Started[];
  submits: Slots;
  pausedMs: number;
  most: number;
  polls: Slots;
  /** How late polls are: nobody knows what became of the tasks since. */
  pollsLateMs: number;
  durations: Durations;
};

/**
 * From now until the last task is known to have ended, as far as limits and the provider decide: what the slowest of them takes. Of
 * several accounts, which work side by side, `durations` and `pollsLateMs` are those of the first.
 */
export function workMs(...works: readonly Work[]): number {
  const busy = works.filter(({ toSubmit, running }) => toSubmit + running.length > 0);
  const [first] = busy;
  if (!first) return 0;
  const tasks = busy.flatMap((work) => [...work.running, ...lastSubmits(work)]);
  const endsMs = lastEndsMs(tasks, first.durations, first.pollsLateMs);
  const knownMs = endsMs + DISCOVERY * (endsMs - Math.max(...tasks.map(({ atMs }) => atMs)));
  // Each task needs one poll at least.
  const pollsMs = Math.max(...busy.map(({ toSubmit, running, polls }) => slotsMs(toSubmit + running.length, polls)));
  return pollsMs > endsMs ? pollsMs : knownMs;
}

/** Those of which one may be the last to end: by the limits, the last few handfuls. */
function lastSubmits({ toSubmit, running, submits, pausedMs, most, durations }: Work): Started[] {
  if (toSubmit === 0) return [];
  const { max, windowMs } = submits.rate;
  const bySubmits = { lastMs: pausedMs + slotsMs(toSubmit, submits), count: max, everyMs: windowMs, times: WINDOWS };
  const before = Math.max(0, toSubmit + running.length - most);
  const times = Math.min(most, ROUNDS);
  const eachMs = occupiedMs(durations);
  const byTasks = { lastMs: (before / most) * eachMs, count: most / times, everyMs: eachMs / times, times };
  const last = byTasks.lastMs > bySubmits.lastMs ? byTasks : bySubmits;
  const handfuls = Array.from({ length: last.times }, (_, back) => ({
    count: Math.min(last.count, toSubmit - back * last.count),
    atMs: last.lastMs - back * last.everyMs,
  }));
  return handfuls.filter(({ count, atMs }) => count > 0 && atMs >= 0);
}

/** For how long a task takes one of the places that there are at once: where tasks have to end first the next follow one by one. */
export function occupiedMs(durations: Durations): number {
  return meanMs(durations) * (1 + DISCOVERY) + NEXT_TASK_MS;
}

/** Until the last of so many requests goes out: each slot comes again a window later, whether they come all at once or one by one. */
export function slotsMs(requests: number, { free, rate: { max, windowMs }, firstMs, lastMs }: Slots): number {
  const beyond = requests - free;
  if (beyond <= 0) return 0;
  const [rounds, place] = [Math.floor((beyond - 1) / max), (beyond - 1) % max];
  return rounds * windowMs + firstMs + ((lastMs - firstMs) * place) / Math.max(1, max - 1);
}

/** The one estimate of when a batch will have ended. */
export function timeLeft(counts: BatchCounts, snapshot: Snapshot, findings: readonly Finding[]): TimeLeft {
  if (hasEnded(counts)) return { kind: 'ended' };
  const { items } = counts;
  const toSubmit = submitsToCome(counts);
  const by = findings.find((one) => (one.batch ?? counts.batch) === counts.batch && stops(one.kind, counts, toSubmit));
  if (by) return { kind: 'still', by };
  if (!counts.sealed || !isOnRoute(counts, snapshot.route)) return { kind: 'unknown' };
  const { rates, tasks, durations } = snapshot;
  const archivers = Math.max(1, snapshot.workers.filter(({ stages }) => stages.includes('archive')).length);
  const archiving = ARCHIVING_MS * (1 + items.finished / (archivers * ARCHIVED_AT_ONCE));
  const submits = slotsOf(rates.submit);
  const toSubmitBefore = aheadOf(counts, snapshot);
  if (!durations && toSubmit + items.submitted > 0 && toSubmit + toSubmitBefore <= submits.free)
    return { kind: 'unknown' };
  const work = workMs({
    toSubmit: toSubmit === 0 ? 0 : toSubmit + toSubmitBefore,
    running: runningTasks(snapshot, counts, toSubmit),
    submits,
    pausedMs: rates.submit.pausedMs,
    most: tasks.most,
    polls: slotsOf(rates.poll),
    pollsLateMs: snapshot.queues.poll.lateMs ?? 0,
    durations: durations ?? ASSUMED,
  });
  return { kind: 'known', ms: Math.max(work + archiving, paceMs(counts, toSubmit, snapshot, work)) };
}

function slotsOf({ limit, inWindow, windowMs, marginMs, firstSlotMs, lastSlotMs }: RateUse): Slots {
  const rate = { max: limit, windowMs: windowMs + marginMs };
  return { free: Math.max(0, limit - inWindow), rate, firstMs: firstSlotMs, lastMs: lastSlotMs };
}

/**
 * Jobs were looked at a moment ago: what has begun since did so when the limiter saw the last submit. Once a batch has submitted all,
 * the newest tasks beyond its own are of batches that came later.
 */
function runningTasks({ tasks, rates: { submit }, at }: Snapshot, { items }: BatchCounts, toSubmit: number): Started[] {
  const slotMs = submit.windowMs + submit.marginMs;
  const sinceLastMs = submit.inWindow > 0 ? Math.max(0, slotMs - submit.lastSlotMs) : slotMs;
  const running = Math.max(tasks.running, items.submitted);
  const seen = [...tasks.startedAt].sort((a, b) => b - a).slice(0, running);
  const unseen = Array.from({ length: running - seen.length }, () => at - sinceLastMs);
  const all = [...unseen, ...seen].slice(toSubmit > 0 ? 0 : running - items.submitted);
  return all.map((startedAt) => ({ count: 1, atMs: Math.min(0, startedAt - at) }));
}

/** What a budget has no room for does not go out, told of already or not. Of what waits for its slot only a part is reserved. */
function submitsToCome({ items, overBudget, budget, credits, unsettled, submits }: BatchCounts): number {
  const wanted = items.submitting + Math.max(0, items.queued - overBudget.items);
  const price = submits > 0 ? credits / submits : 0;
  if (budget === undefined || price === 0) return wanted;
  const reserved = Math.min(items.submitting, Math.ceil(unsettled / price));
  return Math.min(wanted, reserved + Math.max(0, Math.floor((budget - credits - unsettled) / price)));
}

/** Older batches go first, as far as counts tell: priorities are the jobs'. */
function aheadOf(counts: BatchCounts, { batches, route }: Snapshot): number {
  return batches
    .filter((other) => other.createdAt < counts.createdAt && !hasEnded(other) && isOnRoute(other, route))
    .filter(({ pausedAt, cancelledAt }) => pausedAt === undefined && cancelledAt === undefined)
    .reduce((sum, other) => sum + submitsToCome(other), 0);
}

function stops(kind: Kind, { items }: BatchCounts, toSubmit: number): boolean {
  const underWay = items.submitting + items.submitted + items.finished;
  if (HOLDS_ALL.includes(kind)) return true;
  if (HOLDS_SUBMITS.includes(kind)) return items.queued > 0;
  if (kind === 'out-of-budget') return toSubmit === 0 && underWay === 0;
  if (kind === 'poll-unanswered') return toSubmit + items.submitted > 0;
  if (kind === 'images-unreachable') return toSubmit + items.submitted === 0;
  return false;
}

/** Whether submits do not use what their limit permits: then something else sets the pace, such as the machine. */
function isSlack(
  { inWindow, limit, windowMs, marginMs, pausedMs }: Snapshot['rates']['submit'],
  toSubmit: number,
): boolean {
  return toSubmit > 0 && pausedMs === 0 && inWindow < SLACK * limit * (windowMs / (windowMs + marginMs));
}

/** By what came to the archive lately, where neither a limit nor the provider's own pace explains it; else 0. */
function paceMs(counts: BatchCounts, toSubmit: number, snapshot: Snapshot, work: number): number {
  const { queues, paces, rates, tasks } = snapshot;
  const pace = paces[counts.batch];
  if (!pace || pace.count < LEAST_LANDED || pace.firstMs < LEAST_LANDED_MS) return 0;
  const { submitted, finished } = counts.items;
  const left = toSubmit + submitted + finished;
  const byPace = (left * pace.firstMs) / pace.count;
  const isLate = (stage: 'poll' | 'archive') => (queues[stage].lateMs ?? 0) > LATE_MS;
  const isAtMost = tasks.running >= tasks.most && toSubmit > 0;
  const isSlow = isLate('poll') || (isSlack(rates.submit, toSubmit) && !isAtMost);
  // A few images that wait for a moment while many are yet to come tell nothing of what sets the pace.
  const isBehind = isLate('archive') && (finished >= toSubmit + submitted || finished > MANY_FINISHED);
  return isBehind || (isSlow && work < byPace / 2) ? byPace : 0;
}

/** `~2m 10s left`, `stands still: no time left known`; empty where nothing is known. */
export function describeTimeLeft(left: TimeLeft): string {
  switch (left.kind) {
    case 'known':
      return `~${formatDuration(Math.ceil(left.ms / 1_000) * 1_000)} left`;
    case 'still':
      return 'stands still: no time left known';
    case 'unknown':
    case 'ended':
      return '';
    default:
      return left satisfies never;
  }
}
