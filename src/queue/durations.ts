import type { Durations } from '../stages/ports.ts';
import type { RedisClient } from './connection.ts';
import type { Keys } from './keys.ts';

/** As many of the latest tasks teach when to poll: enough for quantiles, few enough to follow the provider's load. */
const KEPT = 100;
const CACHED_MS = 1_000;

/** What the whole fleet has seen lately; a sample may be a second old. */
export function redisDurations(redis: RedisClient, keys: Keys): Durations {
  const cache = new Map<string, { sample: Promise<readonly number[]>; readAt: number }>();

  async function read(model: string): Promise<readonly number[]> {
    const texts = await redis.lrange(keys.durations(model), 0, -1);
    return texts.map(Number).sort((a, b) => a - b);
  }

  return {
    async add(model, ms) {
      await redis
        .multi()
        .lpush(keys.durations(model), ms)
        .ltrim(keys.durations(model), 0, KEPT - 1)
        .exec();
    },
    sample(model) {
      const cached = cache.get(model);
      if (cached && Date.now() - cached.readAt < CACHED_MS) return cached.sample;
      const sample = read(model);
      cache.set(model, { sample, readAt: Date.now() });
      // What failed is not kept: a task id may be waiting to be handed on.
      sample.catch(() => cache.delete(model));
      return sample;
    },
  };
}
