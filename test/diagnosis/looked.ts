import { type BatchCounts, emptyCounts } from '../../src/batch/counts.ts';
import type { LaneLook, QueueDepth, RateUse, Snapshot } from '../../src/diagnosis/snapshot.ts';
import type { WorkerFacts } from '../../src/fleet/heartbeats.ts';

export const ROUTE = { archive: '/archive', api: 'http://127.0.0.1' };
export const NONE: QueueDepth = { waiting: 0, active: 0, delayed: 0, oldestMs: null, lateMs: null };

export function worker(changes: Partial<WorkerFacts> = {}): WorkerFacts {
  return {
    ...{ id: '1', host: 'here', pid: 1, startedAt: 40_000, version: '0.1.0', draining: false },
    stages: ['submit', 'poll', 'archive'],
    ...changes,
  };
}

export function use(changes: Partial<RateUse> = {}): RateUse {
  return {
    ...{ limit: 20, configured: 20, windowMs: 10_000, inWindow: 0, pausedMs: 0, marginMs: 0 },
    ...{ sent: 0, refused: 0, refusedAt: null, firstSlotMs: 10_000, lastSlotMs: 10_000 },
    ...changes,
  };
}

export function lane(name: string, changes: Partial<LaneLook> = {}): LaneLook {
  const of = (key: string) => `${key} of lane ${name} in lanes.yaml`;
  return {
    ...{ name, vendor: 'kie', keyVariable: 'KIE_API_KEY', isNamed: true, isFirst: false, share: 1, breaker: null },
    ...{ limitNames: { rate: of('rate'), polls: of('polls'), tasks: of('concurrency') }, waiting: 10 },
    ...{ credits: null, callbacks: null },
    rates: { submit: use(), poll: use({ limit: 10, configured: 10, windowMs: 1_000 }) },
    tasks: { running: 0, most: 100 },
    ...changes,
  };
}

export function batch(items: Partial<BatchCounts['items']>, more: Partial<BatchCounts> = {}): BatchCounts {
  const empty = emptyCounts('spring');
  const all = { ...empty.items, ...items };
  const total = Object.values(all).reduce((sum, count) => sum + count, 0);
  return { ...empty, createdAt: 0, sealed: true, items: all, total, ...ROUTE, ...more };
}

/** A look at a fleet in which nothing is wrong, and nothing to be done. */
export function look(changes: Partial<Snapshot> = {}): Snapshot {
  return {
    at: 100_000,
    route: ROUTE,
    batches: [],
    queues: { submit: NONE, poll: NONE, archive: NONE, finish: NONE },
    rates: { submit: use(), poll: use({ limit: 10, configured: 10, windowMs: 1_000 }) },
    tasks: { running: 0, most: 100, oldestAt: null, newestAt: null, startedAt: [] },
    paces: {},
    durations: { typicalMs: 10_000, longMs: 20_000 },
    workers: [worker()],
    breaker: null,
    waitingForEither: 0,
    lanes: [],
    faults: [],
    atRisk: { origin: 0, outlived: 0, stored: 0 },
    archiveLag: null,
    callbacksAway: [],
    pausedAt: null,
    redisAway: null,
    ...changes,
  };
}
