import { describeWhat } from '../../diagnosis/describe.ts';
import type { Finding } from '../../diagnosis/finding.ts';
import type { WorkerFacts } from '../../fleet/heartbeats.ts';
import { formatDuration } from '../../text/duration.ts';
import { type Html, html } from './html.ts';

const MOST_FINDINGS = 8;
const MOST_WORKERS = 12;

/** What holds work up, and what to do about it; the worst first. */
export function banner(findings: readonly Finding[], now: number): Html {
  const more = findings.length - MOST_FINDINGS;
  return html`<div id="findings" role="status">
${findings
  .slice(0, MOST_FINDINGS)
  .map(
    (finding) =>
      html`<p class="note ${finding.severity}" data-kind="${finding.kind}"><b>${describeWhat(finding, now)}</b><br>${finding.remedy} <small>${finding.anchor}</small></p>`,
  )}
${more > 0 && html`<p class="crumb">${more} more: <code>flux-batch status</code></p>`}</div>`;
}

/** Who works just now. */
export function workerList(workers: readonly WorkerFacts[], now: number): Html {
  if (workers.length === 0) return html`<div id="workers"><p class="empty">No worker is at work.</p></div>`;
  const more = workers.length - MOST_WORKERS;
  return html`<div id="workers"><ul class="states">
${workers
  .slice(0, MOST_WORKERS)
  .map(
    ({ host, pid, stages, startedAt, version, draining }) =>
      html`<li class="${draining ? 'cancelled' : 'archived'}">${host}:${pid} · ${stages.join(' ')} · up ${formatDuration(
        Math.max(0, Math.floor((now - startedAt) / 1_000) * 1_000),
      )} · ${version}${draining && ' · draining'}</li>`,
  )}
${more > 0 && html`<li class="plain">and ${more} more</li>`}
</ul></div>`;
}
