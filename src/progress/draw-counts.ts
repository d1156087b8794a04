import { type BatchCounts, doneOf } from '../batch/counts.ts';
import type { RateUse } from '../diagnosis/snapshot.ts';
import { formatDuration } from '../text/duration.ts';
import type { Paint } from '../text/paint.ts';
import { plural } from '../text/terminal.ts';

/** The share of items that have ended, from 0 to 1; 0 for an empty batch. */
export function shareDone(counts: BatchCounts): number {
  return counts.total === 0 ? 0 : doneOf(counts) / counts.total;
}

/** `spring  ██████░░░░ 60%  60/100`, with a bar of `width` characters. */
export function barText(counts: BatchCounts, width: number): string {
  const share = shareDone(counts);
  const full = Math.floor(share * width);
  const bar = `${'█'.repeat(full)}${'░'.repeat(width - full)}`;
  return `${counts.batch}  ${bar} ${Math.floor(share * 100)}%  ${doneOf(counts)}/${counts.total}`;
}

/** `queued 60 · running 20 · archiving 0 · archived 20`, followed by failed, held and cancelled if there are any. */
export function statesText({ items }: BatchCounts): string {
  const running = `queued ${items.queued + items.submitting} · running ${items.submitted} · archiving ${items.finished} · archived ${items.archived}`;
  const ends = (['failed', 'held', 'cancelled'] as const).filter((state) => items[state] > 0);
  return [running, ...ends.map((state) => `${state} ${items[state]}`)].join(' · ');
}

/** `18 of 20 in 10s`, with a lower limit that was learned, refusals and a pause if there are any. */
export function rateText({ inWindow, limit, configured, windowMs, refused, pausedMs }: RateUse): string {
  return [
    `${inWindow} of ${limit} in ${formatDuration(windowMs)}`,
    ...(limit < configured ? [`learned, ${configured} configured`] : []),
    ...(refused > 0 ? [`${plural(refused, '429', '429s')} so far`] : []),
    ...(pausedMs > 0 ? [`paused for ${formatDuration(pausedMs)}`] : []),
  ].join(' · ');
}

/** Counts of items that failed or are held stand out where the terminal has colours. */
export function paintEnds(line: string, paint: Paint): string {
  return line
    .replace(/\bfailed [1-9][\d,]*/g, (found) => paint('red', found))
    .replace(/\bheld [1-9][\d,]*/g, (found) => paint('yellow', found));
}
