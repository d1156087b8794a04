import { type BatchCounts, doneOf, hasEnded } from '../../batch/counts.ts';
import { shareDone } from '../../progress/draw-counts.ts';
import { formatDuration, type Rate } from '../../text/duration.ts';
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

export function chip(counts: BatchCounts): Html {
  if (!counts.sealed) return html`<span class="chip running">enqueueing</span>`;
  if (!hasEnded(counts)) return html`<span class="chip running">running</span>`;
  const { failed, held } = counts.items;
  if (failed + held === 0) return html`<span class="chip done">done</span>`;
  const bad = [...(failed > 0 ? [`${count(failed)} failed`] : []), ...(held > 0 ? [`${count(held)} held`] : [])];
  return html`<span class="chip trouble">ended, ${bad.join(', ')}</span>`;
}

export function percent(counts: BatchCounts): string {
  return `${Math.floor(shareDone(counts) * 100)}%`;
}

/** Uses the pace of the last minute, but never less time than the rate limit implies. Undefined if nothing is known. */
export function timeLeft(counts: BatchCounts, perMinute: number, rate: Rate): string | undefined {
  const left = counts.total - doneOf(counts);
  if (left <= 0) return undefined;
  const byLimitMs = ((counts.items.queued + counts.items.submitting) / rate.max) * rate.windowMs;
  const byPaceMs = perMinute > 0 ? (left / perMinute) * 60_000 : byLimitMs;
  const ms = Math.max(byLimitMs, byPaceMs);
  return ms > 0 ? `about ${formatDuration(Math.ceil(ms / 1_000) * 1_000)} left` : undefined;
}
