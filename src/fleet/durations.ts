import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import { defineScript } from '../redis/script.ts';
import type { Durations } from '../stages/ports.ts';

/** As many of the latest tasks teach when to poll: enough for quantiles, few enough to follow the provider's load. */
const KEPT = 300;
const CACHED_MS = 1_000;

/** ARGV: a duration, how many to keep. */
const PUSH = `
redis.call('LPUSH', KEYS[1], ARGV[1])
return redis.call('LTRIM', KEYS[1], 0, ARGV[2] - 1)
`;

/** What the whole fleet has seen lately; a sample may be a second old. */
export function redisDurations(redis: RedisClient, keys: Keys): Durations {
  const push = defineScript(redis, 'durations_push', PUSH);
  const cache = new Map<string, { sample: Promise<readonly number[]>; readAt: number }>();

  async function read(model: string): Promise<readonly number[]> {
    const texts = await redis.lrange(keys.durations(model), 0, -1);
    return texts.map(Number).sort((a, b) => a - b);
  }

  return {
    async add(model, ms) {
      await push([keys.durations(model)], [ms, KEPT]);
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
