import { type BatchCounts, doneOf } from '../batch/counts.ts';
import { describeBreaker } from '../fleet/describe-breaker.ts';
import type { LimiterUsage } from '../fleet/limiter.ts';
import type { TrippedBreaker } from '../fleet/probe-breaker.ts';
import type { Prices } from '../money/prices.ts';
import { formatDuration, formatRate, type Rate } from '../text/duration.ts';
import { plural } from '../text/terminal.ts';
import { barText, statesText } from './draw-counts.ts';
import { submitTimeLeftMs } from './submit-time.ts';
import { describeRisk, describeWait, type Wait } from './waits.ts';

/** Everything that one frame of the display is drawn from. Times are epoch milliseconds. */
export type View = {
  counts: BatchCounts;
  /** The counts when this command began; undefined for a new batch. */
  before: BatchCounts | undefined;
  startedAt: number;
  now: number;
  breaker: TrippedBreaker | undefined;
  /** When a person paused all batches; undefined while they are not paused. */
  allPausedAt: number | undefined;
  usage: LimiterUsage;
  rateLimit: Rate;
  prices: Prices;
  /** Who is out of reach, the longest first. */
  waits: readonly Wait[];
  /** Images that wait longer than their original URL lives. */
  outlived: number;
};

const BAR_WIDTH = 30;

/** The live display, one element per line. */
export function drawView(view: View): string[] {
  const { counts, breaker } = view;
  return [
    `${barText(counts, BAR_WIDTH)}  ${formatDuration(view.now - view.startedAt)}${leftText(view)}`,
    `  ${statesText(counts)}`,
    `  ${rateText(view)}   ${costText(view)}`,
    ...pausedText(view),
    ...(breaker ? describeBreaker(breaker, view.now).map((line) => `  ${line}`) : []),
    // The breaker has told of its own above.
    ...view.waits.filter(({ kind }) => kind !== 'unreachable').map((wait) => `  ${describeWait(wait, view.now)}`),
    ...riskText(view),
    ...overBudgetText(view),
  ];
}

/** The same on a single line, for logs. */
export function lineOf(view: View): string {
  const { counts } = view;
  return `${counts.batch}: ${doneOf(counts)}/${counts.total} done, ${statesText(counts)}; ${rateText(view)}; ${costText(view)}${leftText(view)}${[...pausedText(view), ...waitText(view), ...riskText(view)].join('')}`;
}

function rateText({ usage, rateLimit }: View): string {
  const limit =
    usage.limit !== undefined && usage.limit < rateLimit.max
      ? `${formatRate(rateLimit)}, ${usage.limit} learned`
      : formatRate(rateLimit);
  const paused = usage.pausedMs > 0 ? ` · paused ${formatDuration(usage.pausedMs)}` : '';
  return `rate ${usage.inWindow} of ${limit}${usage.refused > 0 ? ` · 429s ${usage.refused}` : ''}${paused}`;
}

function costText({ counts, prices }: View): string {
  const budget = counts.budget === undefined ? '' : ` of ${counts.budget}`;
  return `spent ${counts.credits}${budget} credits ($${(counts.credits * prices.usdPerCredit).toFixed(2)})`;
}

function overBudgetText({ counts }: View): string[] {
  const { items, credits } = counts.overBudget;
  return items === 0
    ? []
    : [`  out of budget: ${plural(items, 'item')} of ${credits} credits wait beyond ${counts.budget}`];
}

function waitText({ waits, now }: View): string[] {
  return waits.slice(0, 1).map((wait) => `  ${describeWait(wait, now)}`);
}

function riskText({ outlived }: View): string[] {
  return describeRisk(outlived).map((line) => `  ${line}`);
}

function pausedText({ counts, allPausedAt, now }: View): string[] {
  const lines: [number | undefined, string][] = [
    [allPausedAt, '--all'],
    [counts.pausedAt, counts.batch],
  ];
  return lines.flatMap(([since, what]) =>
    since === undefined ? [] : [`  paused for ${formatDuration(now - since)}: flux-batch resume ${what} goes on`],
  );
}

/**
 * Uses the pace of this command once it is reliable, but never less time than the rate limit implies. Empty while nothing
 * is known, and while somebody is out of reach.
 */
function leftText({ counts, before, startedAt, now, rateLimit, allPausedAt, waits }: View): string {
  const left = counts.total - doneOf(counts);
  if (left <= 0 || waits.length > 0 || counts.pausedAt !== undefined || allPausedAt !== undefined) return '';
  const doneSince = doneOf(counts) - (before ? doneOf(before) : 0);
  const elapsedMs = now - startedAt;
  const byLimitMs = submitTimeLeftMs(counts, rateLimit);
  const byPaceMs = doneSince > 5 && elapsedMs > 3_000 ? (elapsedMs / doneSince) * left : 0;
  const leftMs = Math.max(byLimitMs, byPaceMs);
  return leftMs < 1_000 ? '' : `  ~${formatDuration(leftMs)} left`;
}
