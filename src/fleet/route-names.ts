import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';

/** Where a batch's images go, and by whose API they are made. */
export type Route = { archive: string; api: string };
/**
 * What the names of a route's queues, and of the keys of its API, end in. The first route that uses a Redis has plain names, and so
 * has the first API.
 */
export type RouteNames = { queues: string; api: string };

const storedSchema = z.object({ suffix: z.string(), archive: z.string().optional(), api: z.string() });
type Stored = z.infer<typeof storedSchema>;

/** Which names are whose: one hash, in which who comes first wins. */
export function redisRouteNames(redis: RedisClient, keys: Pick<Keys, 'routes' | 'batches' | 'batch'>) {
  async function storedAs(field: string): Promise<Stored | undefined> {
    const text = await redis.hget(keys.routes, field);
    return text === null ? undefined : storedSchema.parse(JSON.parse(text));
  }

  /** The suffix that is stored, or one that nobody else has, stored from now on. */
  async function claim(kind: 'route' | 'api', facts: Omit<Stored, 'suffix'>, mayBeFirst: boolean): Promise<string> {
    const id = digestOf(facts);
    const known = await storedAs(`${kind}:${id}`);
    if (known) return known.suffix;
    if (mayBeFirst) await redis.hsetnx(keys.routes, `first:${kind}`, id);
    const suffix = (await redis.hget(keys.routes, `first:${kind}`)) === id ? '' : `-${id}`;
    await redis.hsetnx(keys.routes, `${kind}:${id}`, JSON.stringify({ suffix, ...facts } satisfies Stored));
    return (await storedAs(`${kind}:${id}`))?.suffix ?? suffix;
  }

  /** Batches of a version without routes have jobs in queues with plain names: these are left to their archive. */
  async function isLeftToOthers(archive: string): Promise<boolean> {
    const batches = await redis.zrange(keys.batches, '0', '-1');
    const places = await Promise.all(batches.map((batch) => redis.hmget(keys.batch(batch), 'archive', 'api')));
    const old = places.flatMap(([place, api]) => (place && !api ? [place] : []));
    return old.length > 0 && !old.includes(archive);
  }

  return {
    async claim({ archive, api }: Route): Promise<RouteNames> {
      const known = await storedAs(`route:${digestOf({ archive, api })}`);
      const mayBeFirst = known !== undefined || !(await isLeftToOthers(archive));
      return {
        queues: await claim('route', { archive, api }, mayBeFirst),
        api: await claim('api', { api }, true),
      };
    },
    /** For who only looks: where nobody works on its route, it sees the first one. */
    async look({ archive, api }: Route): Promise<{ names: RouteNames; route: Route }> {
      const first = await redis.hget(keys.routes, 'first:route');
      const known =
        (await storedAs(`route:${digestOf({ archive, api })}`)) ??
        (first === null ? undefined : await storedAs(`route:${first}`));
      const route = { archive: known?.archive ?? archive, api: known?.api ?? api };
      const ofApi = await storedAs(`api:${digestOf({ api: route.api })}`);
      return { names: { queues: known?.suffix ?? '', api: ofApi?.suffix ?? '' }, route };
    },
    /** After a flush a route must find again under which names its processes work. */
    async keep(route: Route, names: RouteNames): Promise<void> {
      const { api } = route;
      const stored: [kind: 'route' | 'api', facts: Omit<Stored, 'suffix'>, suffix: string][] = [
        ['route', route, names.queues],
        ['api', { api }, names.api],
      ];
      for (const [kind, facts, suffix] of stored) {
        const id = digestOf(facts);
        if (suffix === '') await redis.hsetnx(keys.routes, `first:${kind}`, id);
        await redis.hsetnx(keys.routes, `${kind}:${id}`, JSON.stringify({ suffix, ...facts } satisfies Stored));
      }
    },
    /** The suffixes of all routes, or of those to one API. */
    async all(api?: string): Promise<string[]> {
      const fields = Object.entries(await redis.hgetall(keys.routes));
      const routes = fields
        .filter(([field]) => field.startsWith('route:'))
        .map(([, text]) => storedSchema.parse(JSON.parse(text)));
      const wanted = routes.filter((route) => api === undefined || route.api === api);
      return [...new Set(['', ...wanted.map(({ suffix }) => suffix)])];
    },
  };
}
export type RedisRouteNames = ReturnType<typeof redisRouteNames>;

function digestOf({ archive, api }: Omit<Stored, 'suffix'>): string {
  return createHash('sha256')
    .update(archive === undefined ? api : `${archive} ${api}`)
    .digest('hex')
    .slice(0, 8);
}
