import { type BatchCounts, doneOf } from '../../batch/counts.ts';
import { ratesOfAll, tasksOfAll } from '../../diagnosis/accounts.ts';
import { diagnose } from '../../diagnosis/diagnose.ts';
import type { Finding } from '../../diagnosis/finding.ts';
import type { RateUse, Snapshot } from '../../diagnosis/snapshot.ts';
import { formatDuration } from '../../text/duration.ts';
import { dropZone } from './drop-zone.ts';
import { banner, workerList } from './findings.ts';
import { type Html, html } from './html.ts';
import { laneTable } from './lanes.ts';
import { bar, chip, count, stateList, timeLeftText } from './progress.ts';

export type Overview = {
  /** The newest comes first. */
  batches: readonly { counts: BatchCounts; perMinute: number }[];
  /** How many older batches are not shown. */
  older: number;
  snapshot: Snapshot;
};

/** The parts of `/` that change, by their element ids. */
export function overviewParts(view: Overview): Record<string, Html> {
  const { snapshot } = view;
  const { findings, bottleneck } = diagnose(snapshot);
  return {
    findings: banner(findings, snapshot.at),
    fleet: fleetTiles(view, bottleneck),
    lanes: laneTable(snapshot),
    batches: batchList(view),
    workers: workerList(snapshot.workers, snapshot.at),
  };
}

export function overviewBody(parts: Record<string, Html>): Html {
  return html`<h1>Batches</h1>${parts.findings}${parts.fleet}${parts.lanes}${dropZone()}<h2>Latest</h2>${parts.batches}<h2>Workers</h2>${parts.workers}`;
}

function fleetTiles({ batches, snapshot }: Overview, bottleneck: Finding | null): Html {
  const { queues, lanes, rates } = snapshot;
  const tasks = tasksOfAll(snapshot);
  const each = lanes.length < 2 ? [rates.submit] : lanes.map((lane) => lane.rates.submit);
  const refused = each.reduce((sum, use) => sum + use.refused, 0);
  const sent = each.reduce((sum, use) => sum + use.sent, 0);
  const perMinute = batches.reduce((sum, one) => sum + one.perMinute, 0);
  const waiting = queues.archive.waiting + queues.archive.active + queues.archive.delayed;
  return html`<div id="fleet"><dl class="tiles">
<div class="tile"><dt>Submits in the window</dt>${ratesOfAll(snapshot, 'submit').map(submitsInWindow)}</div>
<div class="tile"><dt>Running at the provider</dt><dd>${count(tasks.running)}<small>of ${count(tasks.most)} tasks</small></dd></div>
<div class="tile"><dt>Waiting to be archived</dt><dd>${count(waiting)}<small>images</small></dd></div>
<div class="tile"><dt>Pace</dt><dd>${count(perMinute)}<small>images a minute</small></dd></div>
<div class="tile"><dt>Refused for rate</dt><dd>${count(refused)}<small>of ${count(sent)} submits</small></dd></div>
</dl>${bottleneck !== null && html`<p class="crumb" data-bottleneck="${bottleneck.kind}">Pace: ${bottleneck.what}</p>`}</div>`;
}

function submitsInWindow({ inWindow, limit, configured, windowMs, pausedMs }: RateUse): Html {
  const rate = pausedMs > 0 ? `paused for ${formatDuration(pausedMs)}` : `in ${formatDuration(windowMs)}`;
  const learned = limit < configured ? `, learned, ${configured} configured` : '';
  return html`<dd>${inWindow} of ${limit}<small>${rate}${learned}</small></dd>`;
}

function batchList({ batches, older, snapshot }: Overview): Html {
  if (batches.length === 0) {
    return html`<div id="batches"><p class="empty">No batches yet. Start one with <code>flux-batch enqueue jobs.yaml</code></p></div>`;
  }
  return html`<div id="batches"><ul class="batches" id="batch-list" data-keyed>
${batches.map(({ counts, perMinute }) => batchCard(counts, perMinute, snapshot))}
</ul>${older > 0 && html`<p class="crumb">${count(older)} older: <code>flux-batch status</code></p>`}</div>`;
}

function batchCard(counts: BatchCounts, perMinute: number, snapshot: Snapshot): Html {
  const name = counts.batch;
  const left = timeLeftText(counts, snapshot);
  const more = [
    ...(perMinute > 0 && left !== undefined ? [`${count(perMinute)} a minute`] : []),
    ...(left === undefined ? [] : [left]),
    `${count(Math.round(counts.credits))} credits`,
  ];
  return html`<li class="card" id="batch-${name}">
<div class="top"><h3><a id="to-${name}" href="/batches/${name}">${name}</a></h3>${chip(counts, snapshot)}
<span class="count"><b>${count(doneOf(counts))}</b> of ${count(counts.total)}</span></div>
${bar(counts)}${stateList(counts, more)}</li>`;
}
