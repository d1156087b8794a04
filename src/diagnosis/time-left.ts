import { type BatchCounts, hasEnded, isOnRoute } from '../batch/counts.ts';
import { formatDuration, type Rate } from '../text/duration.ts';
import type { Finding, Kind } from './finding.ts';
import type { Snapshot } from './snapshot.ts';

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
/** Download, check and two writes, of one worker's eight at a time. */
const ARCHIVING_MS = 1_000;
const ARCHIVED_AT_ONCE = 8;

/** Makes all that is left of a batch wait. */
const HOLDS_ALL: readonly Kind[] = [
  ...(['redis-unreachable', 'archive-denied', 'archive-full', 'archive-unreachable'] as const),
  ...(['no-worker', 'other-route', 'jobs-lost'] as const),
];
const HOLDS_SUBMITS: readonly Kind[] = [
  ...(['key-refused', 'out-of-credits', 'api-not-found', 'api-unreachable', 'api-maintenance'] as const),
  ...(['too-many-unknown', 'submitting-stopped', 'paused'] as const),
];

export type Work = {
  toSubmit: number;
  running: number;
  /** How many submits may go at once, and how many in each window. */
  freeSlots: number;
  rate: Rate;
  /** When the first and the last of the slots in use come free. */
  slots: { firstMs: number; lastMs: number };
  pausedMs: number;
  most: number;
  pollLimit: Rate;
  durations: { typicalMs: number; longMs: number };
};

/** From now until the last task has ended, as far as limits and the provider decide: what the slowest of them takes. */
export function workMs(work: Work): number {
  const { toSubmit, running, pausedMs, most, pollLimit, durations } = work;
  const bySubmits = pausedMs + submitsMs(work);
  const beyondMost = Math.max(0, toSubmit + running - most);
  const byTasks = (beyondMost / most) * durations.typicalMs;
  // Each task needs one poll at least.
  const byPolls = ((toSubmit + running) / pollLimit.max) * pollLimit.windowMs;
  return Math.max(bySubmits + durations.longMs, byTasks + durations.longMs, byPolls);
}

/** Until the last submit goes out: each slot comes again a window later, whether they come all at once or one by one. */
function submitsMs({ toSubmit, freeSlots, rate: { max, windowMs }, slots: { firstMs, lastMs } }: Work): number {
  const beyond = toSubmit - freeSlots;
  if (beyond <= 0) return 0;
  const [rounds, place] = [Math.floor((beyond - 1) / max), (beyond - 1) % max];
  return rounds * windowMs + firstMs + ((lastMs - firstMs) * place) / Math.max(1, max - 1);
}

type Limits = { rateLimit: Rate; pollLimit: Rate; maxTasks: number };

/** What a batch will take that has not begun, by the same estimate. Tasks are taken to last as they do as a rule. */
export function plannedMs(toSubmit: number, { rateLimit, pollLimit, maxTasks }: Limits): number {
  if (toSubmit === 0) return 0;
  const { max, windowMs } = rateLimit;
  const slots = { firstMs: windowMs, lastMs: windowMs };
  const limits = { freeSlots: max, rate: rateLimit, slots, pausedMs: 0, most: maxTasks, pollLimit };
  return Math.round(workMs({ toSubmit, running: 0, ...limits, durations: ASSUMED }) + ARCHIVING_MS);
}

/** The one estimate of when a batch will have ended. */
export function timeLeft(counts: BatchCounts, snapshot: Snapshot, findings: readonly Finding[]): TimeLeft {
  if (hasEnded(counts)) return { kind: 'ended' };
  const { items } = counts;
  const toSubmit = submitsToCome(counts);
  const by = findings.find((one) => (one.batch ?? counts.batch) === counts.batch && stops(one.kind, counts, toSubmit));
  if (by) return { kind: 'still', by };
  if (!counts.sealed || !isOnRoute(counts, snapshot.route)) return { kind: 'unknown' };
  const { rates, tasks, durations, at } = snapshot;
  const isAtMost = tasks.running >= tasks.most && toSubmit > 0;
  const byPace = paceMs(counts, toSubmit, snapshot, isAtMost || isSlack(rates.submit, toSubmit));
  const archivers = Math.max(1, snapshot.workers.filter(({ stages }) => stages.includes('archive')).length);
  const archiving = ARCHIVING_MS * (1 + items.finished / (archivers * ARCHIVED_AT_ONCE));
  if (toSubmit + items.submitted === 0) return { kind: 'known', ms: Math.max(archiving, byPace) };
  const freeSlots = Math.max(0, rates.submit.limit - rates.submit.inWindow);
  const toSubmitBefore = aheadOf(counts, snapshot);
  if (!durations && toSubmit + toSubmitBefore <= freeSlots) return { kind: 'unknown' };
  const learned = durations ?? ASSUMED;
  const work = workMs({
    toSubmit: toSubmit + toSubmitBefore,
    running: tasks.running,
    freeSlots,
    rate: { max: rates.submit.limit, windowMs: rates.submit.windowMs + rates.submit.marginMs },
    slots: { firstMs: rates.submit.firstSlotMs, lastMs: rates.submit.lastSlotMs },
    pausedMs: rates.submit.pausedMs,
    most: tasks.most,
    pollLimit: { max: rates.poll.limit, windowMs: rates.poll.windowMs + rates.poll.marginMs },
    durations: learned,
  });
  // All is submitted: the newest task has run for some time already.
  const ranMs = toSubmit === 0 && tasks.newestAt !== null ? Math.max(0, at - tasks.newestAt) : 0;
  const byWork = Math.max(work - Math.min(ranMs, learned.longMs), 0) + archiving;
  return { kind: 'known', ms: Math.max(isAtMost ? 0 : byWork, byPace, byPace === 0 ? byWork : 0) };
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

/** By what came to the archive lately, where polling, archiving or the provider's own limit decides; else 0. */
function paceMs(counts: BatchCounts, toSubmit: number, { queues, paces }: Snapshot, isPaced: boolean): number {
  const pace = paces[counts.batch];
  const isLate = [queues.poll, queues.archive].some(({ lateMs }) => (lateMs ?? 0) > LATE_MS);
  if (!pace || pace.count < LEAST_LANDED || pace.firstMs < LEAST_LANDED_MS || !(isLate || isPaced)) return 0;
  const left = toSubmit + counts.items.submitted + counts.items.finished;
  return (left * pace.firstMs) / pace.count;
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
