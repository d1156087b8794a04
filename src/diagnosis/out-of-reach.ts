import { plain, plural } from '../text/terminal.ts';
import { ofPeople } from './batches.ts';
import { type Finding, finding } from './finding.ts';
import type { Snapshot } from './snapshot.ts';
import { stopOf, stoppedFinding } from './stopped.ts';

type Waited = Snapshot['faults'][number]['kind'] | 'redis-unreachable';

const WHAT: Readonly<Record<Waited, string>> = {
  'redis-unreachable': 'waiting for Redis',
  'archive-denied': 'waiting for the archive, which refuses to store',
  'archive-full': 'waiting for space in the archive',
  'archive-unreachable': 'waiting for the archive',
  'poll-unanswered': 'waiting for answers of the API',
  'images-unreachable': "waiting for the images' host",
  'uploads-unanswered': 'waiting for the provider to take pictures to start from',
};

const REMEDY: Readonly<Record<Waited, string>> = {
  'redis-unreachable': 'nothing is lost, and it goes on by itself: check the server of REDIS_URL',
  'archive-denied':
    'let these credentials (in a folder: this user) list, read and write in ARCHIVE_URL; it is tried again every 30s',
  'archive-full': 'free some space where ARCHIVE_URL is, or raise the quota; it is tried again every 30s',
  'archive-unreachable': 'it goes on by itself: check ARCHIVE_URL, S3_ENDPOINT and the network',
  'poll-unanswered':
    'running tasks are paid for, and are polled again: check FLUX_API_URL (of BFL: BFL_API_URL) and the network',
  'images-unreachable': 'it is tried until the last URL dies: check the network, and FETCH_ALLOW',
  'uploads-unanswered':
    'their items are not submitted yet, and each upload is tried again: check KIE_UPLOAD_URL and the network',
};

/** Who does not answer, or refuses, and is waited for. The breaker tells of submits by itself. */
export function outOfReach({ redisAway, faults }: Pick<Snapshot, 'redisAway' | 'faults'>): Finding[] {
  const waits: { kind: Waited; message: string; since: number }[] = [
    ...(redisAway ? [{ ...redisAway, kind: 'redis-unreachable' as const }] : []),
    ...faults,
  ];
  return waits.map(({ kind, message, since }) =>
    finding(kind, `${WHAT[kind]}: ${plain(message)}`, REMEDY[kind], { since }),
  );
}

/** What a batch waits for that may end by itself or by a person, and without which it does not go on. */
export type Wait = { finding: Finding; forMs: number };

/** What this batch waits for, the longest first: somebody out of reach, a stopped gate, a pause. */
export function waitsOf(
  batch: string,
  snapshot: Pick<
    Snapshot,
    'redisAway' | 'faults' | 'breaker' | 'lanes' | 'waitingForEither' | 'ownWaiting' | 'at' | 'batches' | 'pausedAt'
  >,
): readonly Wait[] {
  const { at } = snapshot;
  const stop = stopOf(snapshot);
  const pauses = ofPeople(snapshot).filter((one) => one.kind === 'paused' && (one.batch ?? batch) === batch);
  return [...outOfReach(snapshot), ...(stop ? [stoppedFinding(stop.breaker, at, stop.lane)] : []), ...pauses]
    .map((one) => ({ finding: one, forMs: Math.max(0, at - (one.since ?? at)) }))
    .sort((a, b) => b.forMs - a.forMs);
}

/** Images whose original URL has died while they waited, and those whose stored copy dies soon. */
export function imagesAtRisk({ atRisk: { outlived, origin, stored } }: Pick<Snapshot, 'atRisk'>): Finding[] {
  const wait = (count: number) => (count === 1 ? '1 image waits' : `${plural(count, 'image')} wait`);
  const risks = [
    ...(stored > 0 ? [`${wait(stored)} to be archived and will be gone within a day`] : []),
    ...(outlived > 0 ? [`${wait(outlived)} longer than ${outlived === 1 ? 'its' : 'their'} original URL lives`] : []),
    ...(origin > 0 ? [`${wait(origin)} whose original URL dies within 2 minutes`] : []),
  ];
  if (risks.length === 0) return [];
  return [
    finding(
      'images-at-risk',
      `at risk: ${risks.join('; ')}`,
      'start more flux-batch worker archive; the stored copies live for FLUX_STORED_TTL',
    ),
  ];
}
