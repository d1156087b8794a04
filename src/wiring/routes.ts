import { type Route, type RouteNames, redisRouteNames } from '../fleet/route-names.ts';
import { openQueues, type Queues, runningKeysOf } from '../queue/queues.ts';
import type { Clock } from '../redis/clock.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';

/** `lanes`: those that this process may make tasks in. */
export type RouteOptions = {
  prefix: string;
  keys: Keys;
  clock: Clock;
  route: Route;
  names: RouteNames;
  lanes: readonly string[];
};

/**
 * The queues of this process's route, and those of others for the few that act on any batch. Workers of different archives or APIs
 * do not meet: no job of one is ever given to another.
 */
export async function openRoutes(redis: RedisClient, { prefix, keys, clock, route, names, lanes }: RouteOptions) {
  const stored = redisRouteNames(redis, keys);
  const opened = new Map<string, Queues>();
  let known: readonly string[] = lanes;
  const withSuffix = (suffix: string): Queues => {
    const queues = opened.get(suffix) ?? openQueues(redis, prefix, clock, suffix);
    opened.set(suffix, queues);
    queues.learn(known);
    return queues;
  };
  /** Who looks at queues sees those of lanes that only others know. */
  const learnLanes = async () => {
    known = [...new Set([...lanes, ...(await redis.smembers(keys.lanes))])];
    for (const queues of opened.values()) queues.learn(known);
  };
  await learnLanes();
  const own = withSuffix(names.queues);
  let sharing = await stored.all(route.api);

  return {
    route,
    suffix: names.queues,
    own,
    /** The queues that a batch's jobs are in. A version without routes left its jobs in those with plain names. */
    async of(batch: string): Promise<Queues> {
      const [archive, api] = await redis.hmget(keys.batch(batch), 'archive', 'api');
      if (!archive) return own;
      if (!api) return withSuffix('');
      if (archive === route.archive && api === route.api) return own;
      return withSuffix((await stored.claim({ archive, api })).queues);
    },
    async all(): Promise<Queues[]> {
      return (await stored.all()).map(withSuffix);
    },
    /** Keys that hold one member for each task that runs at our API: routes to one API share what it permits. */
    running: (lane?: string) => runningKeysOf(prefix, [...new Set([names.queues, ...sharing])], lane),
    /** Called now and then by who works: for others to find our names, and for us to find theirs. */
    async keep(): Promise<void> {
      await stored.keep(route, names);
      if (lanes.length > 0) await redis.sadd(keys.lanes, ...lanes);
      await learnLanes();
      sharing = await stored.all(route.api);
    },
    async close(): Promise<void> {
      await Promise.all([...opened.values()].map((queues) => queues.close()));
    },
  };
}
export type Routes = Awaited<ReturnType<typeof openRoutes>>;
