import { type BatchCounts, doneOf, hasEnded } from '../../batch/counts.ts';
import { diagnose } from '../../diagnosis/diagnose.ts';
import type { Snapshot } from '../../diagnosis/snapshot.ts';
import { formatDuration } from '../../text/duration.ts';
import { shorten } from '../../text/terminal.ts';
import { banner } from './findings.ts';
import { type Html, html } from './html.ts';
import { laneTable } from './lanes.ts';
import { bar, chip, count, percent, stateList, timeLeftText } from './progress.ts';

export type Picture = { id: string; name: string; prompt: string };
export type FailureGroup = {
  class: string;
  state: 'failed' | 'held';
  total: number;
  reasons: readonly { message: string; names: readonly string[]; total: number }[];
};
export type BatchView = {
  counts: BatchCounts;
  perMinute: number;
  snapshot: Snapshot;
  usdPerCredit: number;
  failures: readonly FailureGroup[];
  /** Failed and held items that were only counted, not read. */
  unread: number;
  pictures: readonly Picture[];
  /** The archive of the batch, if the server reads another one. */
  elsewhere: string | undefined;
};

/** The parts of a batch's page that change, by their element ids. */
export function batchParts(view: BatchView): Record<string, Html> {
  const { snapshot } = view;
  return {
    findings: banner(diagnose(snapshot).findings, snapshot.at),
    head: head(view),
    lanes: laneTable(snapshot),
    trouble: failureList(view),
    recent: recent(view),
    pictures: pictureGrid(view),
  };
}

export function batchBody(parts: Record<string, Html>): Html {
  return html`<p class="crumb"><a href="/">Batches</a></p>${parts.findings}${parts.head}${parts.lanes}${parts.trouble}${parts.recent}${parts.pictures}`;
}

function head({ counts, perMinute, snapshot, usdPerCredit, elsewhere }: BatchView): Html {
  const left = timeLeftText(counts, snapshot);
  const state = hasEnded(counts) ? 'ended' : 'running';
  return html`<section id="head" aria-label="Progress">
<div class="title"><h1>${counts.batch}</h1>${chip(counts, snapshot)}</div>
${elsewhere !== undefined && html`<p class="note">Its pictures go to ${elsewhere}, which this server does not read.</p>`}
<div class="card">${bar(counts)}${stateList(counts, left === undefined ? [] : [left])}</div>
<h2>In figures</h2>
<dl class="tiles">
<div class="tile"><dt>Done</dt><dd>${percent(counts)}<small>${count(doneOf(counts))} of ${count(counts.total)}</small></dd></div>
<div class="tile"><dt>Pace</dt><dd>${count(perMinute)}<small>images in the last minute</small></dd></div>
<div class="tile"><dt>Spent</dt><dd>${count(Math.round(counts.credits))}<small>credits, about $${(
    counts.credits * usdPerCredit
  ).toFixed(2)}</small></dd></div>
<div class="tile"><dt>Stored</dt><dd>${megabytes(counts.bytes)}<small>of images</small></dd></div>
<div class="tile"><dt>Begun</dt><dd>${formatDuration(Math.floor((snapshot.at - counts.createdAt) / 1_000) * 1_000)}<small>ago, ${state}</small></dd></div>
</dl></section>`;
}

const megabytes = (bytes: number) =>
  bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;

/** Failure classes in words for readers without the manual. */
const MEANING: Readonly<Record<string, string>> = {
  'content-policy': 'the provider refused the prompt or the picture',
  'invalid-parameters': 'the provider refused the parameters',
  'feature-disabled': 'the provider has switched this feature off',
  'generation-failed': 'the provider could not make the picture',
  'unknown-outcome': 'it is not known whether the submit went through, and was paid for',
  'unknown-task': 'the provider does not know the task any more',
  'poll-timeout': 'the task did not end in time; running the manifest again asks for it again',
  expired: 'every URL of the picture had died',
  'invalid-image': 'what was downloaded is not the picture that was asked for',
  unreachable: 'the provider or the picture could not be reached',
  cancelled: 'cancelled by a person',
  internal: 'a fault of flux-batch',
  'record-corrupt': 'its record in the archive cannot be read',
};

function failureList({ failures, unread }: BatchView): Html {
  if (failures.length === 0 && unread === 0) return html`<section id="trouble"></section>`;
  return html`<section id="trouble" aria-labelledby="trouble-title"><h2 id="trouble-title">Failed and held</h2>
<div class="failures">
${failures.map(
  (
    group,
  ) => html`<details id="class-${group.state}-${group.class}"><summary id="open-${group.state}-${group.class}"><span class="chip ${
    group.state === 'held' ? 'trouble' : ''
  }">${group.state}</span><b>${count(group.total)} × ${group.class}</b><span class="why">${MEANING[group.class]}</span></summary>
<ul>${group.reasons.map(
    ({ message, names, total }) =>
      html`<li>${message}<div>${names.join(', ')}${
        total > names.length && ` and ${count(total - names.length)} more`
      }</div></li>`,
  )}</ul></details>`,
)}
</div>
${unread > 0 && html`<p class="crumb">${count(unread)} more: <code>flux-batch results</code> lists all.</p>`}</section>`;
}

function recent({ counts, pictures }: BatchView): Html {
  const shown = pictures.length < counts.items.archived ? `, the latest ${count(pictures.length)} shown` : '';
  return html`<h2 id="recent">Pictures <small class="crumb">${count(counts.items.archived)}${shown}</small></h2>`;
}

function pictureGrid({ counts, pictures }: BatchView): Html {
  const base = `/batches/${counts.batch}`;
  return html`<ul class="pictures" id="pictures" data-keyed>
${pictures.map(
  ({ id, name, prompt }) =>
    html`<li id="picture-${id}" data-keep><figure><a id="image-${id}" href="${base}/images/${id}"><img src="${base}/thumbs/${id}" alt="${shorten(
      prompt,
      200,
    )}" loading="lazy" width="168" height="126"></a><figcaption title="${name}">${name}</figcaption></figure></li>`,
)}
${pictures.length === 0 && html`<li id="no-picture"><p class="empty">None is archived yet.</p></li>`}
</ul>`;
}
