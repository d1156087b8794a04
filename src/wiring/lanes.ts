import type { Config } from '../config.ts';
import { type RedisBatchState, redisBatchState } from '../fleet/batch-state.ts';
import { bothLimiters } from '../fleet/both-limiters.ts';
import { type RedisLimiter, redisLimiter } from '../fleet/limiter.ts';
import type { Running } from '../fleet/limiter-scripts.ts';
import type { RouteNames } from '../fleet/route-names.ts';
import { redisRouteNames } from '../fleet/route-names.ts';
import { type RunningTasks, redisRunningTasks } from '../fleet/running-tasks.ts';
import { BFL_FACTS } from '../provider/bfl/facts.ts';
import type { RedisClient } from '../redis/connection.ts';
import { DEFAULT_PREFIX, type Keys, keysOf } from '../redis/keys.ts';
import type { Lane } from '../settings/lanes.ts';
import { redisPollLimiter } from './poll-limiter.ts';
import type { Routes } from './routes.ts';

/** What an account's processes share in Redis. */
export type OpenLane = {
  lane: Lane;
  keys: Keys;
  /** With its breaker; all else of it is that of any lane. */
  state: RedisBatchState;
  /** Of all models together. */
  submitLimiter: RedisLimiter;
  /** Of a model that has a limit of its own besides. */
  limiterOf(model: string): RedisLimiter;
  pollLimiter: RedisLimiter;
  /** The tasks that run in it; undefined where the jobs of the poll queue are counted. */
  tasks: RunningTasks | undefined;
};

type Opening = {
  config: Config;
  redis: RedisClient;
  routes: Routes;
  /** Of the default API. */
  keys: Keys;
  state: RedisBatchState;
  names: RouteNames;
  looksOnly: boolean;
};

/**
 * One for each account. The first of a vendor has the names in Redis that it has without lanes: a batch that was begun without goes on, and
 * workers of former versions share its limits. One of a vendor that nobody here uses is left out.
 */
export async function openLanes(opening: Opening): Promise<OpenLane[]> {
  const { config, redis, looksOnly, names } = opening;
  const stored = redisRouteNames(redis, keysOf(DEFAULT_PREFIX));
  const suffixes = new Map<string, string | undefined>([['kie', names.api]]);
  const ofBfl = config.lanes.filter(({ vendor }) => vendor === 'bfl');
  const isUsed = ofBfl.some(({ apiKey, isNamed }) => isNamed || apiKey !== undefined);
  const { apiUrl } = config.bfl;
  const suffixOf = looksOnly ? stored.suffixOfApi : stored.claimApi;
  suffixes.set('bfl', await (isUsed ? suffixOf : stored.lookApi)(apiUrl));
  return config.lanes.flatMap((lane) => {
    const suffix = suffixes.get(lane.vendor);
    return suffix === undefined ? [] : [openLane(lane, suffix, opening)];
  });
}

function openLane(lane: Lane, suffix: string, { config, redis, routes, keys: first, state }: Opening): OpenLane {
  const isDefault = lane.isFirst && lane.vendor === 'kie';
  const keys = isDefault ? first : keysOf(DEFAULT_PREFIX, lane.isFirst ? suffix : `${suffix}@${lane.name}`);
  // Of kie each task counts the same, so the jobs of its poll queue are counted, also of those that a former version submits.
  const tasks = lane.vendor === 'kie' ? undefined : redisRunningTasks(redis, keys);
  const running = () => {
    const own = routes.running(lane.isNamed ? lane.name : undefined);
    if (!lane.isFirst || !lane.isNamed) return own;
    // What it has begun before it had a name.
    const former = routes.running();
    return { lists: [...own.lists, ...former.lists], sortedSets: [...own.sortedSets, ...former.sortedSets] };
  };
  const limited = (name: string, counts: Running) =>
    redisLimiter(redis, keys, {
      ...{ name, rate: lane.rateLimit, requestTimeoutMs: config.submitTimeoutMs, running: counts },
    });
  const counted = (most: number, model: string): Running => ({
    most,
    lists: [],
    sortedSets: [keys.runningTasks(model)],
  });
  const inQueues: Running = {
    most: lane.maxTasks,
    get lists() {
      return running().lists;
    },
    get sortedSets() {
      return running().sortedSets;
    },
  };
  const submitLimiter = limited('submit', tasks ? counted(lane.maxTasks, '') : inQueues);
  const ofModels = new Map(
    Object.entries(lane.vendor === 'bfl' ? (BFL_FACTS.limits.runningOf ?? {}) : {}).map(([model, most]) => [
      model,
      bothLimiters(limited(`submit-${model}`, counted(Math.min(most, lane.maxTasks), model)), submitLimiter),
    ]),
  );
  return {
    ...{ lane, keys, submitLimiter, tasks },
    state: isDefault ? state : redisBatchState(redis, keys, async (batch) => (await routes.of(batch)).finish(batch)),
    limiterOf: (model) => ofModels.get(model) ?? submitLimiter,
    pollLimiter: redisPollLimiter(redis, keys, lane.pollLimit),
  };
}

/** The default account of the default provider: there is always one. Throws where that is not so, which is a bug. */
export function firstLane({ lanes }: { lanes: readonly OpenLane[] }): OpenLane {
  const first = lanes.find(({ lane }) => lane.isFirst && lane.vendor === 'kie');
  if (!first) throw new Error('Expected a first lane');
  return first;
}

export type WatchedLimiters = { submitLimiter: RedisLimiter; pollLimiter: RedisLimiter };

/** Those of the default account. */
export function openLimiters(connections: { lanes: readonly OpenLane[] }): WatchedLimiters {
  const { submitLimiter, pollLimiter } = firstLane(connections);
  return { submitLimiter, pollLimiter };
}
