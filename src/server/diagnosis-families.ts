import { diagnose } from '../diagnosis/diagnose.ts';
import { type Finding, KINDS } from '../diagnosis/finding.ts';
import { outOfReach } from '../diagnosis/out-of-reach.ts';
import type { Snapshot } from '../diagnosis/snapshot.ts';
import { workersByStage } from '../diagnosis/workers.ts';
import type { LastSuccess } from '../fleet/last-success.ts';
import { type Family, gauge } from '../metrics/exposition.ts';

const REFUSALS = ['archive-denied', 'archive-full', 'archive-unreachable'] as const;

/** What holds work up, as `status` tells it. Each cause has a series of its own at all times, so that alerts see it come and go. */
export function diagnosisFamilies(snapshot: Snapshot, successes: LastSuccess): Family[] {
  const { findings, bottleneck } = diagnose(snapshot);
  return [
    ...findingFamilies(findings, bottleneck),
    redisUp(1),
    gauge(
      'flux_archive_refusing',
      '1 while the archive does not take what is written, by what keeps it from that.',
      REFUSALS.map((reason) => ({ labels: { reason }, value: findings.some(({ kind }) => kind === reason) ? 1 : 0 })),
    ),
    gauge(
      'flux_workers',
      'Live workers that take new work, by stage, for the archive and the API of this server.',
      Object.entries(workersByStage(snapshot)).map(([stage, value]) => ({ labels: { stage }, value })),
    ),
    gauge(
      'flux_last_success_timestamp_seconds',
      'When each stage has last brought an item on.',
      Object.entries(successes).flatMap(([stage, at]) =>
        at === null ? [] : [{ labels: { stage }, value: at / 1_000 }],
      ),
    ),
  ];
}

/** All that is known while Redis does not answer. */
export function awayFamilies(redisAway: { since: number; message: string }): Family[] {
  const findings = outOfReach({ redisAway, faults: [] });
  const [bottleneck = null] = findings;
  return [...findingFamilies(findings, bottleneck), redisUp(0)];
}

function findingFamilies(findings: readonly Finding[], bottleneck: Finding | null): Family[] {
  const told = new Set(findings.map(({ kind }): string => kind));
  const wrong = Object.entries(KINDS).filter(([, severity]) => severity !== 'info');
  return [
    gauge(
      'flux_bottleneck',
      '1 for what decides just now how fast work goes on; no series where nothing is to be done.',
      bottleneck ? [{ labels: { kind: bottleneck.kind }, value: 1 }] : [],
    ),
    gauge(
      'flux_finding',
      '1 while this holds work up, or waits for a person; docs/troubleshooting.md has a section for each kind.',
      wrong.map(([kind, severity]) => ({ labels: { kind, severity }, value: told.has(kind) ? 1 : 0 })),
    ),
  ];
}

const redisUp = (value: 0 | 1): Family => gauge('flux_redis_up', '1 while Redis answers this server.', [{ value }]);
