import { type BatchCounts, doneOf } from '../../batch/counts.ts';
import type { LimiterUsage } from '../../fleet/limiter.ts';
import type { TrippedBreaker } from '../../fleet/probe-breaker.ts';
import { formatDuration, formatRate, type Rate } from '../../text/duration.ts';
import { type Html, html } from './html.ts';
import { bar, chip, count, stateList, timeLeft } from './progress.ts';

export type Overview = {
  /** The newest comes first. */
  batches: readonly { counts: BatchCounts; perMinute: number }[];
  /** How many older batches are not shown. */
  older: number;
  usage: LimiterUsage;
  rateLimit: Rate;
  running: number;
  waitingToArchive: number;
  breaker: TrippedBreaker | undefined;
  now: number;
};

/** The parts of `/` that change, by their element ids. */
export function overviewParts(view: Overview): Record<string, Html> {
  return { breaker: breakerNote(view), fleet: fleetTiles(view), batches: batchList(view) };
}

export function overviewBody(parts: Record<string, Html>): Html {
  return html`<h1>Batches</h1>${parts.breaker}${parts.fleet}<h2>Latest</h2>${parts.batches}`;
}

function breakerNote({ breaker, now }: Overview): Html {
  if (!breaker) return html`<div id="breaker"></div>`;
  return html`<div id="breaker"><p class="note" role="status"><b>Submitting is stopped</b> since ${formatDuration(
    now - breaker.since,
  )} (${breaker.refusal}): ${breaker.message}</p></div>`;
}

function fleetTiles({ batches, usage, rateLimit, running, waitingToArchive }: Overview): Html {
  const perMinute = batches.reduce((sum, one) => sum + one.perMinute, 0);
  const limit = usage.limit ?? rateLimit.max;
  const paused = usage.pausedMs > 0 ? `paused for ${formatDuration(usage.pausedMs)}` : `limit ${formatRate(rateLimit)}`;
  return html`<dl class="tiles" id="fleet">
<div class="tile"><dt>Submits in the window</dt><dd>${usage.inWindow} of ${limit}<small>${paused}</small></dd></div>
<div class="tile"><dt>Running at the provider</dt><dd>${count(running)}<small>tasks</small></dd></div>
<div class="tile"><dt>Waiting to be archived</dt><dd>${count(waitingToArchive)}<small>images</small></dd></div>
<div class="tile"><dt>Pace</dt><dd>${count(perMinute)}<small>images a minute</small></dd></div>
<div class="tile"><dt>Refused for rate</dt><dd>${count(usage.refused)}<small>of ${count(usage.sent)} submits</small></dd></div>
</dl>`;
}

function batchList({ batches, older, rateLimit }: Overview): Html {
  if (batches.length === 0) {
    return html`<div id="batches"><p class="empty">No batches yet. Start one with <code>flux-batch enqueue jobs.yaml</code></p></div>`;
  }
  return html`<div id="batches"><ul class="batches" id="batch-list" data-keyed>
${batches.map(({ counts, perMinute }) => batchCard(counts, perMinute, rateLimit))}
</ul>${older > 0 && html`<p class="crumb">${count(older)} older: <code>flux-batch status</code></p>`}</div>`;
}

function batchCard(counts: BatchCounts, perMinute: number, rateLimit: Rate): Html {
  const name = counts.batch;
  const left = timeLeft(counts, perMinute, rateLimit);
  const more = [
    ...(perMinute > 0 && left !== undefined ? [`${count(perMinute)} a minute`] : []),
    ...(left === undefined ? [] : [left]),
    `${count(Math.round(counts.credits))} credits`,
  ];
  return html`<li class="card" id="batch-${name}">
<div class="top"><h3><a id="to-${name}" href="/batches/${name}">${name}</a></h3>${chip(counts)}
<span class="count"><b>${count(doneOf(counts))}</b> of ${count(counts.total)}</span></div>
${bar(counts)}${stateList(counts, more)}</li>`;
}
