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
type RouteKeys = Pick<Keys, 'routes' | 'batches' | 'batch'>;
type Kind = 'route' | 'api';

const storedSchema = z.object({ suffix: z.string(), archive: z.string().optional(), api: z.string() });
type Stored = z.infer<typeof storedSchema>;
type Facts = Omit<Stored, 'suffix'>;

/** Which names are whose: one hash, in which who comes first wins. */
export function redisRouteNames(redis: RedisClient, keys: RouteKeys) {
  const hash = storedNames(redis, keys.routes);
  return {
    async claim(route: Route): Promise<RouteNames> {
      const { archive, api } = route;
      const mayBeFirst =
        (await hash.find('route', route)) !== undefined || !(await isLeftToOthers(archive, redis, keys));
      return {
        queues: await hash.claim('route', { archive, api }, mayBeFirst),
        api: await hash.claim('api', { api }, true),
      };
    },
    /** The suffix of an API that a route's items are made by besides its own. */
    claimApi: (api: string): Promise<string> => hash.claim('api', { api }, false),
    /** The one that it has, or will have once who works claims it: no first API is claimed so. */
    suffixOfApi: async (api: string): Promise<string> =>
      (await hash.find('api', { api }))?.suffix ?? (await hash.unclaimed('api', { api })),
    /** Undefined where nobody has claimed it. */
    lookApi: async (api: string): Promise<string | undefined> => (await hash.find('api', { api }))?.suffix,
    /** For who only looks: where nobody works on its route, it sees one to its API, or else the first. */
    async look({ archive, api }: Route): Promise<{ names: RouteNames; route: Route }> {
      const [all, first] = await Promise.all([hash.routes(), redis.hget(keys.routes, 'first:route')]);
      const found =
        all.get(digestOf({ archive, api })) ??
        [...all.values()].find((one) => one.api === api) ??
        (first === null ? undefined : all.get(first));
      const route = { archive: found?.archive ?? archive, api: found?.api ?? api };
      const ofApi = await hash.find('api', { api: route.api });
      return { names: { queues: found?.suffix ?? '', api: ofApi?.suffix ?? '' }, route };
    },
    /** After a flush a route must find again under which names its processes work. */
    async keep({ archive, api }: Route, names: RouteNames): Promise<void> {
      await hash.keep('route', { archive, api }, names.queues);
      await hash.keep('api', { api }, names.api);
    },
    /** The suffixes of all routes, or of those to one API. */
    async all(api?: string): Promise<string[]> {
      const wanted = [...(await hash.routes()).values()].filter((route) => api === undefined || route.api === api);
      return [...new Set(['', ...wanted.map(({ suffix }) => suffix)])];
    },
  };
}

/** The hash itself: `first:<kind>` is a digest, `<kind>:<digest>` says what it stands for and which suffix it has. */
function storedNames(redis: RedisClient, key: string) {
  const names = {
    async find(kind: Kind, facts: Facts): Promise<Stored | undefined> {
      const text = await redis.hget(key, `${kind}:${digestOf(facts)}`);
      return text === null ? undefined : parse(text);
    },
    /** By their digests. */
    async routes(): Promise<Map<string, Stored>> {
      const fields = Object.entries(await redis.hgetall(key));
      return new Map(
        fields.flatMap(([field, text]) => {
          const [kind, digest = ''] = field.split(':');
          return kind === 'route' ? [[digest, parse(text)] as const] : [];
        }),
      );
    },
    async keep(kind: Kind, facts: Facts, suffix: string): Promise<void> {
      const digest = digestOf(facts);
      if (suffix === '') await redis.hsetnx(key, `first:${kind}`, digest);
      await redis.hsetnx(key, `${kind}:${digest}`, JSON.stringify({ suffix, ...facts } satisfies Stored));
    },
    /** The suffix that nobody else has. */
    async unclaimed(kind: Kind, facts: Facts): Promise<string> {
      const digest = digestOf(facts);
      return (await redis.hget(key, `first:${kind}`)) === digest ? '' : `-${digest}`;
    },
    /** The suffix that is stored, or one that nobody else has, stored from now on. */
    async claim(kind: Kind, facts: Facts, mayBeFirst: boolean): Promise<string> {
      const known = await names.find(kind, facts);
      if (known) return known.suffix;
      const digest = digestOf(facts);
      if (mayBeFirst) await redis.hsetnx(key, `first:${kind}`, digest);
      const suffix = await names.unclaimed(kind, facts);
      await names.keep(kind, facts, suffix);
      return (await names.find(kind, facts))?.suffix ?? suffix;
    },
  };
  return names;
}

/** Batches of a version without routes have jobs in queues with plain names: these are left to their archive. */
async function isLeftToOthers(archive: string, redis: RedisClient, keys: RouteKeys): Promise<boolean> {
  const batches = await redis.zrange(keys.batches, '0', '-1');
  const places = await Promise.all(batches.map((batch) => redis.hmget(keys.batch(batch), 'archive', 'api')));
  const old = places.flatMap(([place, api]) => (place && !api ? [place] : []));
  return old.length > 0 && !old.includes(archive);
}

function parse(text: string): Stored {
  return storedSchema.parse(JSON.parse(text));
}

function digestOf({ archive, api }: Facts): string {
  return createHash('sha256')
    .update(archive === undefined ? api : `${archive} ${api}`)
    .digest('hex')
    .slice(0, 8);
}
