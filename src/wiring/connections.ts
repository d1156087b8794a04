import type { Logger } from 'pino';
import type { Archive } from '../archive/archive.ts';
import { openArchive } from '../archive/open.ts';
import { type Records, recordsIn } from '../archive/records.ts';
import type { Config } from '../config.ts';
import { type RedisBatchControl, redisBatchControl } from '../fleet/batch-control.ts';
import { type RedisBatchState, redisBatchState } from '../fleet/batch-state.ts';
import { type RedisFaults, redisFaults } from '../fleet/faults.ts';
import { type Heartbeats, redisHeartbeats } from '../fleet/heartbeats.ts';
import { type Route, type RouteNames, redisRouteNames } from '../fleet/route-names.ts';
import { type RedisSpending, redisSpending } from '../fleet/spending.ts';
import { createLogger, toStderr, type WriteLine } from '../logger.ts';
import { chargingRecords } from '../money/charging-records.ts';
import { loadPrices } from '../money/load-prices.ts';
import type { Prices } from '../money/prices.ts';
import { proxyRules } from '../network/proxy.ts';
import type { Queues } from '../queue/queues.ts';
import { type Clock, openFleetClock } from '../redis/clock.ts';
import type { RedisClient } from '../redis/connection.ts';
import { DEFAULT_PREFIX, type Keys, keysOf } from '../redis/keys.ts';
import { openRedis } from '../redis/open.ts';
import { type Closers, openClosers } from './closers.ts';
import { type OpenLane, openLanes } from './lanes.ts';
import { type Patience, proveArchive } from './prove-archive.ts';
import { openRoutes, type Routes } from './routes.ts';

/** The transport and the archive, as every command that touches a batch needs them. */
export type Connections = {
  config: Config;
  log: Logger;
  redis: RedisClient;
  /** What deadlines are set and judged by. */
  clock: Clock;
  prefix: string;
  keys: Keys;
  /** Those of our route. */
  queues: Queues;
  routes: Routes;
  state: RedisBatchState;
  /** What each account's processes share. The default one's state is `state`. */
  lanes: readonly OpenLane[];
  control: RedisBatchControl;
  prices: Prices;
  spending: RedisSpending;
  heartbeats: Heartbeats;
  /** What the fleet waits for. */
  faults: RedisFaults;
  archive: Archive;
  /** What is written is accounted for. */
  records: Records;
  /** What a person should know about the set-up. */
  warnings: string[];
  closers: Closers;
};

export type ConnectOptions = Patience & {
  /** It never adds a job of its own: it takes no names on this Redis. */
  looksOnly?: boolean;
  /** Told when a patient connection begins to wait for a Redis that answers and does not serve. */
  onRedisAway?: (message: string) => void;
  /** Prove first that images can be stored. */
  prove: boolean;
  /** Where LOG_LEVEL is not set; nothing is logged by default. */
  logLevel?: string;
  /** Where log lines go; stderr by default. */
  writeLog?: WriteLine;
};

const CLOSES_WITHIN_MS = 2_000;

/**
 * Opens Redis and the archive.
 * Whatever was opened before a failure is closed again.
 */
export async function connect(config: Config, options: ConnectOptions): Promise<Connections> {
  const closers = openClosers({ withinMs: CLOSES_WITHIN_MS });
  try {
    const prices = await loadPrices(config);
    const level = config.logLevel ?? options.logLevel ?? 'silent';
    const log = createLogger(level, config.secrets, options.writeLog ?? toStderr(config.logFormat ?? 'json'));
    const archive = await openArchiveOf(config, closers);
    if (options.prove) await proveArchive(archive, { onWait: (why) => log.warn(why), ...options });
    const onAway = ({ message }: { message: string }) => {
      log.warn({ reason: message }, 'waiting for Redis');
      options.onRedisAway?.(message);
    };
    const { redis, warnings } = await openRedis(config, { ...options, onAway }, closers);
    const clock = await openFleetClock(redis, closers);
    const route = { archive: archive.url, api: config.apiUrl };
    const { keys, names, routes } = await openRoutesOf(route, config, redis, clock, options);
    closers.push(() => routes.close());
    const spending = redisSpending(redis, keys);
    const state = redisBatchState(redis, keys, async (batch) => (await routes.of(batch)).finish(batch));
    const { looksOnly = false } = options;
    const lanes = await openLanes({ config, redis, routes, keys, state, names, looksOnly });
    return {
      config,
      lanes,
      log,
      redis,
      clock,
      prefix: DEFAULT_PREFIX,
      keys,
      queues: routes.own,
      routes,
      state,
      heartbeats: redisHeartbeats(redis, keys),
      faults: redisFaults(redis, keys, clock),
      control: redisBatchControl(redis, keys, routes, state, spending),
      prices,
      spending,
      archive,
      records: chargingRecords(recordsIn(archive), prices, spending.record),
      warnings: [...config.warnings, ...warnings],
      closers,
    };
  } catch (error) {
    await closers.closeAll().catch(() => {});
    throw error;
  }
}

/** The names that our archive and our API have on this Redis, and what is reached by them. */
async function openRoutesOf(
  route: Route,
  config: Config,
  redis: RedisClient,
  clock: Clock,
  { looksOnly = false }: ConnectOptions,
): Promise<{ keys: Keys; names: RouteNames; routes: Routes }> {
  const stored = redisRouteNames(redis, keysOf(DEFAULT_PREFIX));
  const found = looksOnly ? await stored.look(route) : { names: await stored.claim(route), route };
  const keys = keysOf(DEFAULT_PREFIX, found.names.api);
  const { names } = found;
  const lanes = config.lanes.flatMap(({ isNamed, name }) => (isNamed ? [name] : []));
  if (!looksOnly && lanes.length > 0) await redis.sadd(keys.lanes, ...lanes);
  return { keys, names, routes: await openRoutes(redis, { prefix: DEFAULT_PREFIX, keys, clock, lanes, ...found }) };
}

/** The archive alone, for commands that only read what is stored. */
export async function openArchiveOf(config: Config, closers: Closers): Promise<Archive> {
  const archive = await openArchive({
    ...config.s3,
    url: config.archiveUrl,
    maxSockets: 128,
    proxyFor: proxyRules(config.proxy),
  });
  closers.push(() => archive.close());
  return archive;
}
