import { type BatchCounts, hasEnded } from '../batch/counts.ts';
import { unknownBatch } from '../batch/find.ts';
import type { Pace, QueueDepth, Snapshot } from '../diagnosis/snapshot.ts';
import { redisArchiveLag } from '../fleet/archive-lag.ts';
import { readCallbacksAway } from '../fleet/callbacks.ts';
import { redisDurations } from '../fleet/durations.ts';
import { type Backlog, readBacklog } from '../queue/backlog.ts';
import type { Stage } from '../queue/queues.ts';
import type { Connections } from '../wiring/connections.ts';
import { openLimiters } from '../wiring/lanes.ts';
import { closedForAll, countForEither, lookAtLanes, mostTogether, rateOf, ratesTogether } from './lanes.ts';
import { ownWaitingReader } from './own-waiting.ts';

export type ReadSnapshot = (batch: string | undefined) => Promise<Snapshot>;
export type SnapshotConnections = Pick<
  Connections,
  'config' | 'state' | 'lanes' | 'queues' | 'control' | 'heartbeats' | 'redis' | 'keys' | 'routes' | 'faults' | 'clock'
> &
  Partial<Pick<Connections, 'prices'>>;

const PACE_WITHIN_MS = 60_000;
const LONG = 0.95;
const MANY_JOBS = 100;
const LEAST_OFTEN_MS = 500;

/** Reads Redis only. The reader throws a UsageError (`batch-unknown`) if Redis does not know the batch. */
export function snapshotReader(connections: SnapshotConnections, options: { jobsEveryMs?: number } = {}): ReadSnapshot {
  const read = openSnapshots(connections, options);
  return async (batch) => {
    const known = await connections.state.batches();
    if (batch !== undefined && !known.includes(batch)) throw unknownBatch(batch, known);
    return read(batch === undefined ? known : [batch]);
  };
}

/** Looks at these batches, of which Redis may not know some. `jobsEveryMs`: how old what a hundred jobs tell may be. */
export function openSnapshots(connections: SnapshotConnections, { jobsEveryMs = 0 }: { jobsEveryMs?: number } = {}) {
  const { config, state, queues, routes, control, heartbeats, faults, clock } = connections;
  const { submitLimiter, pollLimiter } = openLimiters(connections);
  const lag = redisArchiveLag(connections.redis, connections.keys);
  const jobs = jobReader(connections, jobsEveryMs);
  const lookAtOwn = ownWaitingReader(connections);

  return async (names: readonly string[]): Promise<Snapshot> => {
    // Before the counts: those from before a submit, with a breaker that it tripped, would look as if nothing were under way.
    const waitingForEither = await countForEither(connections);
    const lanes = await lookAtLanes(connections, waitingForEither);
    const [only] = names;
    const ownWaiting = only !== undefined && names.length === 1 ? await lookAtOwn(only, lanes) : undefined;
    const isSeveral = lanes.some(({ isNamed, vendor }) => isNamed && vendor === 'kie');
    const counts = await Promise.all(names.map((name) => state.counts(name)));
    const batches = counts.filter((one) => one !== undefined);
    const [depths, { backlog, durations }, paces, submit, poll, workers, pausedAt, waits, archiveLag, callbacksAway] =
      await Promise.all([
        queues.depths(),
        jobs(),
        pacesOf(batches, connections),
        rateOf(submitLimiter, config.rateLimit),
        rateOf(pollLimiter, config.pollLimit),
        heartbeats.live(),
        control.fleetPausedAt(),
        faults.current(),
        lag.current(routes.route.archive),
        readCallbacksAway(connections.redis, connections.keys, clock.now()),
      ]);
    const depthOf = (stage: Stage) => ({ ...sumsOf(depths[stage]), ...backlog.waiting[stage] }) satisfies QueueDepth;
    const polls = depthOf('poll');
    return {
      at: clock.now(),
      ...(connections.prices && { usdPerCredit: connections.prices.usdPerCredit }),
      route: routes.route,
      batches,
      queues: { submit: depthOf('submit'), poll: polls, archive: depthOf('archive'), finish: depthOf('finish') },
      rates: isSeveral ? (ratesTogether(lanes) ?? { submit, poll }) : { submit, poll },
      tasks: {
        running: polls.waiting + polls.active + polls.delayed,
        most: isSeveral ? mostTogether(lanes) : config.maxTasks,
        ...backlog.tasks,
      },
      paces,
      durations,
      workers,
      breaker: closedForAll(lanes, waitingForEither),
      waitingForEither,
      ...(ownWaiting && { ownWaiting }),
      lanes,
      faults: waits,
      atRisk: backlog.atRisk,
      archiveLag: archiveLag ?? null,
      callbacksAway,
      pausedAt: pausedAt ?? null,
      redisAway: null,
    };
  };
}

function sumsOf({ waiting = 0, prioritized = 0, paused = 0, active = 0, delayed = 0 }: Record<string, number>) {
  return { waiting: waiting + prioritized + paused, active, delayed };
}

type FromJobs = Pick<Snapshot, 'durations'> & { backlog: Backlog };

/** What is read from many jobs. */
function jobReader({ queues, clock, redis, keys }: SnapshotConnections, everyMs: number) {
  const samples = redisDurations(redis, keys);
  let known: FromJobs | undefined;
  let readAt = Number.NEGATIVE_INFINITY;

  async function read(): Promise<FromJobs> {
    const backlog = await readBacklog(queues, clock.now());
    const learned = (await Promise.all(backlog.models.map((model) => samples.sample(model)))).flat();
    return { backlog, durations: durationsOf(learned) };
  }

  /** What reads few jobs may read them more often: at a batch's end there are few, and it matters most how old they are. */
  const isNew = ({ backlog }: FromJobs) =>
    performance.now() - readAt < Math.min(everyMs, Math.max(LEAST_OFTEN_MS, (everyMs * backlog.jobs) / MANY_JOBS));

  return async (): Promise<FromJobs> => {
    if (known && isNew(known)) return known;
    readAt = performance.now();
    known = await read();
    return known;
  };
}

function durationsOf(learned: readonly number[]): Snapshot['durations'] {
  const sorted = [...learned].sort((a, b) => a - b);
  const typicalMs = sorted[Math.floor(sorted.length / 2)];
  const longMs = sorted[Math.floor(sorted.length * LONG)];
  return typicalMs === undefined || longMs === undefined ? null : { typicalMs, longMs };
}

async function pacesOf(
  batches: readonly BatchCounts[],
  { state, clock }: SnapshotConnections,
): Promise<Snapshot['paces']> {
  const paceOf = async ({ batch }: BatchCounts): Promise<[string, Pace]> => [
    batch,
    await state.landedWithin(batch, PACE_WITHIN_MS, clock.now()),
  ];
  return Object.fromEntries(await Promise.all(batches.filter((counts) => !hasEnded(counts)).map(paceOf)));
}
