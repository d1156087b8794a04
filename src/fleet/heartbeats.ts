import { z } from 'zod';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import { defineScript } from './script.ts';

const factsSchema = z.object({
  id: z.string(),
  host: z.string(),
  pid: z.int(),
  stages: z.array(z.string()),
  startedAt: z.number(),
  version: z.string(),
  /** It finishes what it has in hand and takes nothing new. */
  draining: z.boolean(),
  /** The archive and the API that it works for; older versions do not tell. */
  route: z.object({ archive: z.string(), api: z.string() }).exactOptional(),
  /** By how much its machine's clock is ahead of that of Redis, where that is more than noise. */
  skewMs: z.number().exactOptional(),
  /** Its submits ask for callbacks to an address that is not this machine's own. */
  callbacksFromOutside: z.boolean().optional(),
});
/** A process that works on queues. */
export type WorkerFacts = z.infer<typeof factsSchema>;

export const BEAT_EVERY_MS = 3_000;
/** Three beats missed: dead, or cut off from Redis. */
const ALIVE_FOR_MS = 9_000;

/** Who works. A worker process beats every three seconds; one that was silent for nine is taken for dead. */
export function redisHeartbeats(redis: RedisClient, keys: Keys) {
  const beat = defineScript(redis, 'heartbeat-beat');
  const live = defineScript(redis, 'heartbeat-live');
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
