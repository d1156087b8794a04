import { type BatchCounts, hasEnded } from '../batch/counts.ts';
import { ratesOfAll, tasksOfAll } from '../diagnosis/accounts.ts';
import { spentWords } from '../diagnosis/budget-words.ts';
import { describeFinding } from '../diagnosis/describe.ts';
import { diagnose } from '../diagnosis/diagnose.ts';
import type { Diagnosis } from '../diagnosis/finding.ts';
import type { LaneLook, Snapshot } from '../diagnosis/snapshot.ts';
import { describeTimeLeft, timeLeft } from '../diagnosis/time-left.ts';
import { barText, rateText, statesText } from '../progress/draw-counts.ts';
import { STAGES } from '../queue/queues.ts';
import { formatDuration } from '../text/duration.ts';
import { NARROW, plain, plural, shorten, table } from '../text/terminal.ts';
import { callbacksWords, creditsWords, isOpen, standingOf } from './lane-words.ts';

const BAR_WIDTH = 20;
const MOST_FINDINGS = 8;
const MOST_ENDED = 5;
const MOST_WORKERS = 8;
/** Where nobody says otherwise. */
const WIDE = 100;
/** What the counts of an ended batch take beside its name. */
const NARROW_COUNTS = 24;

/**
 * Returns one element per line. What holds work up comes first, so that nobody has to search for it. In a narrow terminal the tables
 * keep the columns that a person looks for.
 */
export function drawSnapshot(now: Snapshot, columns = WIDE): string[] {
  const diagnosis = diagnose(now);
  const live = now.batches.filter((counts) => !hasEnded(counts));
  const ended = now.batches.filter(hasEnded).reverse();
  const tasks = tasksOfAll(now);
  return [
    ...findingsOf(diagnosis, now),
    ...(now.batches.length === 0 ? ['no batches', ''] : []),
    ...live.flatMap((counts) => [...liveBatch(counts, now, diagnosis), '']),
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
      ...ratesOf(now, 'submit', 'submits'),
      ...ratesOf(now, 'poll', 'polls'),
      ['tasks', `${tasks.running} of ${tasks.most} at the provider`],
      ...(diagnosis.bottleneck ? [['pace', diagnosis.bottleneck.what]] : []),
    ]),
    '',
    ...lanesOf(now, columns),
    ...workersOf(now),
  ];
}

/** A line for each length of window. */
function ratesOf(now: Snapshot, of: 'submit' | 'poll', name: string): string[][] {
  return ratesOfAll(now, of).map((use, index) => [index === 0 ? name : '', rateText(use)]);
}

/** Each account by itself, where there are several: the rates above are those of all. */
function lanesOf({ lanes, at }: Snapshot, columns: number): string[] {
  if (lanes.length < 2) return [];
  const isWide = columns >= NARROW;
  const shown: readonly [head: string, of: (lane: LaneLook) => string, isShown: boolean][] = [
    ['lane', ({ name }) => name, true],
    ['provider', ({ vendor }) => vendor, isWide],
    ['credits', (lane) => creditsWords(lane, at), isWide],
    ['submits', ({ rates }) => rateText(rates.submit), true],
    ['polls', ({ rates }) => rateText(rates.poll), isWide],
    ['callbacks', callbacksWords, isWide && lanes.some(({ callbacks }) => callbacks)],
    ['share', ({ share }) => `${share}`, isWide && lanes.some(({ share }) => share !== 1)],
    ['tasks', ({ tasks }) => `${tasks.running} of ${tasks.most}`, true],
    ['', (lane) => (isOpen(lane) ? '' : standingOf(lane)), true],
  ];
  const told = shown.filter(([, , isShown]) => isShown);
  return [...table([told.map(([head]) => head), ...lanes.map((lane) => told.map(([, of]) => of(lane)))]), ''];
}

function findingsOf({ findings }: Diagnosis, { at }: Snapshot): string[] {
  if (findings.length === 0) return [];
  const more = findings.length - MOST_FINDINGS;
  return [
    ...findings.slice(0, MOST_FINDINGS).flatMap((finding) => describeFinding(finding, at)),
    ...(more > 0 ? [`… and ${more} more: flux-batch status --json`] : []),
    '',
  ];
}

function liveBatch(counts: BatchCounts, now: Snapshot, diagnosis: Diagnosis): string[] {
  return [
    `${barText(counts, BAR_WIDTH)}  ${progressText(counts, now, diagnosis)}`,
    `  ${statesText(counts)} · ${creditsText(counts, now.usdPerCredit)}`,
    ...elsewhereText(counts, now.route),
  ];
}

/** Its jobs are not in the queues below. A batch that an older version enqueued names no API. */
function elsewhereText({ archive, api }: BatchCounts, route: Snapshot['route']): string[] {
  if (archive === '' || api === '' || (archive === route.archive && api === route.api)) return [];
  return [`  goes to ${plain(archive)} by ${plain(api)}, in queues of its own`];
}

function creditsText(counts: BatchCounts, usdPerCredit: number | undefined): string {
  const { budget, accounts, overBudget } = counts;
  if (budget === undefined && !accounts) return `${counts.credits.toLocaleString('en-US')} credits`;
  const wait =
    overBudget.items > 0
      ? `: OUT OF BUDGET, ${plural(overBudget.items, 'item')} of ${overBudget.credits} credits wait`
      : '';
  return `${spentWords(counts, usdPerCredit)}${wait}`;
}

function progressText(counts: BatchCounts, now: Snapshot, { findings }: Diagnosis): string {
  if (counts.cancelledAt !== undefined) return 'cancelled: what is paid for is still archived';
  if (counts.pausedAt !== undefined) return `paused for ${formatDuration(Math.max(0, now.at - counts.pausedAt))}`;
  if (!counts.sealed) return 'being enqueued';
  return describeTimeLeft(timeLeft(counts, now, findings));
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
