import type { Closers } from '../closers.ts';
import type { Config } from '../config.ts';
import { connectRedis, type RedisClient } from './connection.ts';
import { privateRedis } from './private-redis.ts';
import { checkRedis } from './redis-safety.ts';

export type OpenedRedis = { redis: RedisClient; url: string; warnings: string[] };

/** The Redis of REDIS_URL, or the private one of this folder; refused when it may evict what we store. */
export async function openRedis(config: Config, options: { patient: boolean }, closers: Closers): Promise<OpenedRedis> {
  const url = config.redisUrl ?? (await openPrivate(config, closers));
  const redis = await connectRedis(url, { patient: options.patient, name: `flux-batch:${process.pid}` });
  closers.push(async () => {
    await redis.quit().catch(() => redis.disconnect());
  });
  const warnings = await checkRedis(redis, { allowEviction: config.allowEviction });
  return { redis, url, warnings };
}

async function openPrivate(config: Config, closers: Closers): Promise<string> {
  const server = await privateRedis(config.stateDir);
  closers.push(() => server.close());
  return server.url;
}
