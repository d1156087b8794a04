import { type BatchCounts, hasEnded, isOnRoute } from '../batch/counts.ts';
import type { WorkerFacts } from '../fleet/heartbeats.ts';
import { formatDuration } from '../text/duration.ts';
import { plain } from '../text/terminal.ts';
import { type Finding, finding } from './finding.ts';
import type { Snapshot } from './snapshot.ts';

const STAGES = ['submit', 'poll', 'archive'] as const;
type WorkStage = (typeof STAGES)[number];

/** Deadlines go by the clock of Redis. Delays of jobs go by the machine's own, so that more than this is felt. */
export const SKEW_MS = 5_000;

/** Stages for which somebody works. A draining worker takes nothing new; one of an older version does not tell its route. */
export function workersByStage({ workers, route }: Pick<Snapshot, 'workers' | 'route'>): Record<WorkStage, number> {
  const ours = workers.filter((worker) => !worker.draining && isOf(worker, route));
  const countOf = (stage: WorkStage) => ours.filter(({ stages }) => stages.includes(stage)).length;
  return { submit: countOf('submit'), poll: countOf('poll'), archive: countOf('archive') };
}

export function missingWorkers(snapshot: Snapshot): Finding[] {
  const live = snapshot.batches.filter((counts) => !hasEnded(counts));
  const ours = live.filter((counts) => isOnRoute(counts, snapshot.route));
  return [...stagesWithoutWorkers(snapshot, ours), ...batchesElsewhere(snapshot, live)];
}

function stagesWithoutWorkers(snapshot: Snapshot, ours: readonly BatchCounts[]): Finding[] {
  const workers = workersByStage(snapshot);
  const waits = (stage: WorkStage) => ours.some((counts) => workOf(stage, counts) > 0);
  if (ours.length > 0 && STAGES.every((stage) => workers[stage] === 0)) {
    const others = snapshot.workers.length === 0 ? '' : ' for this archive and API';
    return [
      finding(
        'no-worker',
        `no worker runs${others}`,
        `flux-batch worker starts one; its ARCHIVE_URL is ${plain(snapshot.route.archive)}`,
      ),
    ];
  }
  return STAGES.filter((stage) => workers[stage] === 0 && waits(stage)).map((stage) =>
    finding('no-worker', `no worker has the stage ${stage}`, `flux-batch worker ${stage} starts one`),
  );
}

function workOf(stage: WorkStage, { items }: BatchCounts): number {
  switch (stage) {
    case 'submit':
      return items.queued + items.submitting;
    case 'poll':
      return items.submitted;
    case 'archive':
      return items.finished;
  }
}

/** Their jobs are in queues of their own, which are not looked at. A fault only where nobody is known to work on them. */
function batchesElsewhere({ workers, route }: Snapshot, live: readonly BatchCounts[]): Finding[] {
  return live
    .filter((counts) => counts.api !== '' && !isOnRoute(counts, route) && !workers.some((one) => isOf(one, counts)))
    .map(({ batch, archive, api }) =>
      finding(
        'other-route',
        `${batch} goes to ${plain(archive)} by ${plain(api)}, and no worker is there for that`,
        `ARCHIVE_URL=${plain(archive)} FLUX_API_URL=${plain(api)} flux-batch worker starts one`,
        { batch },
      ),
    );
}

function isOf({ route }: WorkerFacts, { archive, api }: { archive: string; api: string }): boolean {
  return route === undefined || (route.archive === archive && route.api === api);
}

export function clockSkew({ workers }: Pick<Snapshot, 'workers'>): Finding[] {
  const worst = new Map<string, number>();
  for (const { host, skewMs = 0 } of workers) {
    if (Math.abs(skewMs) > Math.max(SKEW_MS, Math.abs(worst.get(host) ?? 0))) worst.set(host, skewMs);
  }
  return [...worst].map(([host, skewMs]) =>
    finding(
      'clock-skew',
      `the clock of ${plain(host)} is ${formatDuration(Math.abs(skewMs))} ${skewMs < 0 ? 'slow' : 'fast'}, by the clock of Redis`,
      'deadlines go by Redis, but retries may come early or late: let the machine keep its time by NTP',
    ),
  );
}
