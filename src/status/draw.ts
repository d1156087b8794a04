import { type BatchCounts, hasEnded } from '../batch/counts.ts';
import { howItLifts } from '../fleet/describe-breaker.ts';
import { barText, statesText } from '../progress/draw-counts.ts';
import { describeRisk, describeWait, waitsOf } from '../progress/waits.ts';
import { STAGES } from '../queue/queues.ts';
import { formatDuration } from '../text/duration.ts';
import { NARROW, plain, plural, shorten, table } from '../text/terminal.ts';
import type { RateUse, Snapshot } from './snapshot.ts';
import { leftMs } from './time-left.ts';

const BAR_WIDTH = 20;
const MOST_ENDED = 5;
const MOST_WORKERS = 8;
/** Where nobody says otherwise. */
const WIDE = 100;
/** What the counts of an ended batch take beside its name. */
const NARROW_COUNTS = 24;

/**
 * Returns one element per line. The pace is computed from `earlier`, an older snapshot, if there is one. In a narrow terminal the
 * tables keep the columns that a person looks for.
 */
export function drawSnapshot(now: Snapshot, earlier: Snapshot | undefined, columns = WIDE): string[] {
  const live = now.batches.filter((counts) => !hasEnded(counts));
  const ended = now.batches.filter(hasEnded).reverse();
  return [
    ...stopsOf(now),
    ...(now.batches.length === 0 ? ['no batches', ''] : []),
    ...live.flatMap((counts) => [...liveBatch(counts, now, earlier), '']),
    ...(ended.length > 0 ? [...endedBatches(ended, columns), ''] : []),
    ...table([
      ['queue', 'waiting', 'active', 'delayed', 'oldest'],
      ...STAGES.map((stage) => {
        const { waiting, active, delayed, oldestMs } = now.queues[stage];
        return [stage, `${waiting}`, `${active}`, `${delayed}`, oldestMs === null ? '-' : formatDuration(oldestMs)];
      }),
    ]),
    '',
    ...table([
      ['submits', rateText(now.rates.submit)],
      ['polls', rateText(now.rates.poll)],
      ['tasks', `${now.tasks.running} of ${now.tasks.most} at the provider`],
    ]),
    '',
    ...workersOf(now),
  ];
}

/** What stops the work comes first, so that nobody has to search for it. */
function stopsOf({ breaker, pausedAt, workers, batches, faults, atRisk, at }: Snapshot): string[] {
  const waits = batches.some((counts) => !hasEnded(counts));
  const lines = [
    ...(pausedAt === null ? [] : [`PAUSED for ${formatDuration(at - pausedAt)}: flux-batch resume --all goes on`]),
    ...(breaker === null
      ? []
      : [
          `STOPPED (${breaker.refusal}) for ${formatDuration(at - breaker.since)}: ${plain(breaker.message)}`,
          `  ${howItLifts(breaker, at)}; by hand: flux-batch gate open`,
        ]),
    ...waitsOf(undefined, faults, at).map((wait) => describeWait(wait, at)),
    ...describeRisk(atRisk.outlived),
    ...(waits && workers.length === 0 ? ['NO WORKERS: flux-batch worker starts one'] : []),
  ];
  return lines.length > 0 ? [...lines, ''] : [];
}

function liveBatch(counts: BatchCounts, now: Snapshot, earlier: Snapshot | undefined): string[] {
  return [
    `${barText(counts, BAR_WIDTH)}  ${progressText(counts, now, earlier)}`,
    `  ${statesText(counts)} · ${creditsText(counts)}`,
    ...orphansText(counts),
    ...elsewhereText(counts, now.route),
  ];
}

function orphansText({ orphans }: BatchCounts): string[] {
  if (orphans === 0) return [];
  const lost = orphans === 1 ? 'has lost its job' : 'have lost their jobs';
  return [`  ${plural(orphans, 'item')} ${lost}: enqueue the manifest again`];
}

/** Its jobs are not in the queues below. A batch that an older version enqueued names no API. */
function elsewhereText({ archive, api }: BatchCounts, route: Snapshot['route']): string[] {
  if (archive === '' || api === '' || (archive === route.archive && api === route.api)) return [];
  return [`  goes to ${plain(archive)} by ${plain(api)}, in queues of its own`];
}

function creditsText({ credits, budget, overBudget }: BatchCounts): string {
  const spent = credits.toLocaleString('en-US');
  if (budget === undefined) return `${spent} credits`;
  const wait =
    overBudget.items > 0
      ? `: OUT OF BUDGET, ${plural(overBudget.items, 'item')} of ${overBudget.credits} credits wait`
      : '';
  return `${spent} of ${budget.toLocaleString('en-US')} credits${wait}`;
}

function progressText(counts: BatchCounts, now: Snapshot, earlier: Snapshot | undefined): string {
  if (counts.cancelledAt !== undefined) return 'cancelled: what is paid for is still archived';
  if (counts.pausedAt !== undefined) return `paused for ${formatDuration(now.at - counts.pausedAt)}`;
  if (!counts.sealed) return 'being enqueued';
  const left = leftMs(counts, now, earlier);
  return left === null ? '' : `~${formatDuration(left)} left`;
}

function endedBatches(ended: readonly BatchCounts[], columns: number): string[] {
  const isNarrow = columns < NARROW;
  const row = ({ batch, total, items, credits }: BatchCounts) =>
    isNarrow
      ? [shorten(batch, Math.max(8, columns - NARROW_COUNTS)), items.archived, items.failed, items.held].map(String)
      : [batch, total, items.archived, items.failed, items.held, items.cancelled, credits].map(String);
  const head = isNarrow
    ? ['ended', 'archived', 'failed', 'held']
    : ['ended', 'total', 'archived', 'failed', 'held', 'cancelled', 'credits'];
  return [
    ...table([head, ...ended.slice(0, MOST_ENDED).map(row)]),
    ...(ended.length > MOST_ENDED ? [`… and ${ended.length - MOST_ENDED} earlier`] : []),
  ];
}

function rateText({ inWindow, limit, windowMs, refused, pausedMs }: RateUse): string {
  const refusals = refused > 0 ? ` · ${plural(refused, '429', '429s')} so far` : '';
  const paused = pausedMs > 0 ? ` · paused for ${formatDuration(pausedMs)}` : '';
  return `${inWindow} of ${limit} in ${formatDuration(windowMs)}${refusals}${paused}`;
}

function workersOf({ workers, at }: Snapshot): string[] {
  if (workers.length === 0) return ['no workers'];
  return [
    ...table([
      ['worker', 'stages', 'up', 'version', ''],
      ...workers
        .slice(0, MOST_WORKERS)
        .map(({ host, pid, stages, startedAt, version, draining }) => [
          `${plain(host)}:${pid}`,
          stages.join(' '),
          formatDuration(Math.max(0, at - startedAt)),
          version,
          draining ? 'draining' : '',
        ]),
    ]),
    ...(workers.length > MOST_WORKERS ? [`… and ${workers.length - MOST_WORKERS} more`] : []),
  ];
}
