import type { Config } from '../config.ts';
import type { Closers } from '../wiring/closers.ts';
import { connectRedis, type RedisClient } from './connection.ts';
import type { Away } from './patience.ts';
import { privateRedis } from './private/private-redis.ts';
import { checkRights } from './rights.ts';
import { checkRedis } from './safety.ts';

export type OpenedRedis = { redis: RedisClient; url: string; warnings: string[] };

const QUIT_WITHIN_MS = 1_500;
/** The private Redis writes what it holds to disk first. */
const STOPS_WITHIN_MS = 35_000;

export type OpenOptions = {
  patient: boolean;
  /** It only looks: it needs fewer rights than who works. */
  looksOnly?: boolean;
  onAway?(away: Away): void;
};

/**
 * Opens the Redis of REDIS_URL, or the private one of this folder. Refuses a Redis that may evict our keys, and one that does not
 * permit what we do.
 */
export async function openRedis(config: Config, options: OpenOptions, closers: Closers): Promise<OpenedRedis> {
  const { redis, url } = await openUnchecked(config, options, closers);
  if (!options.looksOnly) await checkRights(redis);
  const warnings = await checkRedis(redis, { allowEviction: config.allowEviction });
  return { redis, url, warnings };
}

/** The same whatever it is like: for a look at it. */
export async function openUnchecked(
  config: Config,
  options: Pick<OpenOptions, 'patient' | 'onAway'>,
  closers: Closers,
): Promise<Omit<OpenedRedis, 'warnings'>> {
  const url = config.redisUrl ?? (await openPrivate(config, closers));
  const redis = await connectRedis(url, {
    patient: options.patient,
    ...(options.onAway && { onAway: options.onAway }),
    name: `flux-batch:${process.pid}`,
    ...(config.redisTlsCa === undefined ? {} : { tlsCaFile: config.redisTlsCa }),
  });
  closers.push(async () => {
    // On a lost Redis, `quit` of a patient connection would wait for ever.
    const giveUp = setTimeout(() => redis.disconnect(), QUIT_WITHIN_MS);
    await redis.quit().catch(() => redis.disconnect());
    clearTimeout(giveUp);
  });
  return { redis, url };
}

async function openPrivate(config: Config, closers: Closers): Promise<string> {
  const server = await privateRedis(config.stateDir);
  closers.push(() => server.close(), { withinMs: STOPS_WITHIN_MS });
  return server.url;
}
