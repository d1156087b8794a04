import { LRUCache } from 'lru-cache';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { Durations } from '../stages/ports.ts';
import { defineScript } from './script.ts';

/** As many of the latest tasks teach when to poll: enough for quantiles, few enough to follow the provider's load. */
const KEPT = 300;
const CACHED_MS = 1_000;
const MOST_MODELS = 100;

/** What the whole fleet has seen lately; a sample may be a second old. */
export function redisDurations(redis: RedisClient, keys: Keys): Durations {
  const push = defineScript(redis, 'durations-push');
  const samples = new LRUCache<string, readonly number[]>({
    max: MOST_MODELS,
    ttl: CACHED_MS,
    async fetchMethod(model) {
      const texts = await redis.lrange(keys.durations(model), 0, -1);
      return texts.map(Number).sort((a, b) => a - b);
    },
  });

  return {
    async add(model, ms) {
      await push([keys.durations(model)], [ms, KEPT]);
    },
    async sample(model) {
      return (await samples.fetch(model)) ?? [];
    },
  };
}
