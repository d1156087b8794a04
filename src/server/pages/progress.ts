import { type BatchCounts, hasEnded, isOutOfBudget } from '../../batch/counts.ts';
import { diagnose } from '../../diagnosis/diagnose.ts';
import type { Snapshot } from '../../diagnosis/snapshot.ts';
import { stopOf } from '../../diagnosis/stopped.ts';
import { describeTimeLeft, timeLeft } from '../../diagnosis/time-left.ts';
import { shareDone } from '../../progress/draw-counts.ts';
import { type Html, html } from './html.ts';

export const count = (value: number) => value.toLocaleString('en-US');

/** The states as readers distinguish them: queued and submitting are one, and so are submitted and finished. */
export function partsOf({ items }: BatchCounts) {
  return [
    { name: 'archived', value: items.archived },
    { name: 'failed', value: items.failed },
    { name: 'held', value: items.held },
    { name: 'cancelled', value: items.cancelled },
    { name: 'running', value: items.submitted + items.finished },
    { name: 'queued', value: items.queued + items.submitting },
  ] as const;
}

/** Drawn with SVG attributes, because the content security policy forbids style attributes. */
export function bar(counts: BatchCounts): Html {
  const total = Math.max(1, counts.total);
  let x = 0;
  const segments = partsOf(counts).map(({ name, value }) => {
    const width = (value / total) * 100;
    x += width;
    const at = (x - width).toFixed(3);
    return value === 0 || name === 'queued'
      ? ''
      : html`<rect class="${name}" x="${at}%" width="${width.toFixed(3)}%" height="100%"/>`;
  });
  return html`<svg class="bar" role="img" aria-label="${percent(counts)} done">${segments}</svg>`;
}

export function stateList(counts: BatchCounts, more: readonly string[] = []): Html {
  const shown = partsOf(counts).filter(({ name, value }) => value > 0 || name === 'archived');
  return html`<ul class="states">
${shown.map(({ name, value }) => html`<li class="${name}">${count(value)} ${name}</li>`)}
${more.map((text) => html`<li class="plain">${text}</li>`)}
</ul>`;
}

export function chip(counts: BatchCounts, snapshot: Snapshot): Html {
  const { name, looks } = standing(counts, snapshot);
  return html`<span class="chip ${looks}">${name}</span>`;
}

/** Where a batch stands, in a word or two. Only what is archived as a whole is green. */
function standing(
  counts: BatchCounts,
  snapshot: Snapshot,
): { name: string; looks: 'running' | 'done' | 'trouble' | '' } {
  const { items, total, cancelledAt } = counts;
  if (hasEnded(counts)) {
    const ends = (['failed', 'held', 'cancelled'] as const).filter((state) => items[state] > 0);
    if (ends.length === 0) return { name: 'done', looks: 'done' };
    if (items.cancelled === total) return { name: 'cancelled', looks: '' };
    const looks = items.failed + items.held > 0 ? 'trouble' : '';
    return { name: `ended, ${ends.map((state) => `${count(items[state])} ${state}`).join(', ')}`, looks };
  }
  if (cancelledAt !== undefined) return { name: 'cancelled, ending', looks: '' };
  if (isOutOfBudget(counts)) return { name: 'out of budget', looks: 'trouble' };
  if (counts.pausedAt !== undefined || snapshot.pausedAt !== null) return { name: 'paused', looks: 'trouble' };
  if (items.queued > 0 && stopOf(snapshot)) return { name: 'stopped', looks: 'trouble' };
  return { name: counts.sealed ? 'running' : 'enqueueing', looks: 'running' };
}

export function percent(counts: BatchCounts): string {
  return `${Math.floor(shareDone(counts) * 100)}%`;
}

/** Undefined where nothing is known. */
export function timeLeftText(counts: BatchCounts, snapshot: Snapshot): string | undefined {
  return describeTimeLeft(timeLeft(counts, snapshot, diagnose(snapshot).findings)) || undefined;
}
