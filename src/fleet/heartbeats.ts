import { z } from 'zod';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import { defineScript } from '../redis/script.ts';

const factsSchema = z.object({
  id: z.string(),
  host: z.string(),
  pid: z.int(),
  stages: z.array(z.string()),
  startedAt: z.number(),
  version: z.string(),
  /** It finishes what it has in hand and takes nothing new. */
  draining: z.boolean(),
});
/** A process that works on queues. */
export type WorkerFacts = z.infer<typeof factsSchema>;

export const BEAT_EVERY_MS = 3_000;
/** Three beats missed: dead, or cut off from Redis. */
const ALIVE_FOR_MS = 9_000;

/** KEYS: sorted set of ids by their last beat, hash of their facts. ARGV: id, facts. By the server's clock: machines differ. */
const BEAT = `
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
`;

/** ARGV: milliseconds. Forgets whoever was silent for longer; returns the facts of the others. */
const LIVE = `
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[1])
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', oldest)) do
  redis.call('ZREM', KEYS[1], id)
  redis.call('HDEL', KEYS[2], id)
end
return redis.call('HVALS', KEYS[2])
`;

/** Who works: each worker process tells every three seconds, and is dead when it has not for nine. */
export function redisHeartbeats(redis: RedisClient, keys: Keys) {
  const beat = defineScript(redis, 'heartbeat', BEAT);
  const live = defineScript(redis, 'heartbeats', LIVE);
  const places = [keys.workers, keys.workerFacts];
  return {
    async beat(facts: WorkerFacts): Promise<void> {
      await beat(places, [facts.id, JSON.stringify(facts)]);
    },
    async leave(id: string): Promise<void> {
      await redis.zrem(keys.workers, id);
      await redis.hdel(keys.workerFacts, id);
    },
    /** The longest at work first. */
    async live(): Promise<WorkerFacts[]> {
      const texts = z.array(z.string()).parse(await live(places, [ALIVE_FOR_MS]));
      const workers = texts.flatMap((text) => {
        // A worker of another version may tell more, or less.
        const parsed = factsSchema.safeParse(JSON.parse(text));
        return parsed.success ? [parsed.data] : [];
      });
      return workers.sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1));
    },
  };
}
export type Heartbeats = ReturnType<typeof redisHeartbeats>;
