import { z } from 'zod';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';

/** Every worker looks far more often. */
const KEPT_FOR_MS = 15_000;

const lagSchema = z.object({ since: z.number(), waiting: z.number(), diesAt: z.number() });
/** Nothing is submitted while it lasts. Times are epoch milliseconds. `diesAt`: when the first of the images that wait does. */
export type ArchiveLag = z.infer<typeof lagSchema>;

/** Whether archiving has fallen so far behind that submits wait for it, for people to be told. */
export function redisArchiveLag(redis: RedisClient, keys: Keys) {
  async function current(archive: string): Promise<ArchiveLag | undefined> {
    const text = await redis.get(keys.archiveLag(archive));
    return text === null ? undefined : lagSchema.parse(JSON.parse(text));
  }
  return {
    current,
    /** `since` stays that of the first who found it. */
    async note(archive: string, lag: ArchiveLag): Promise<void> {
      const since = (await current(archive))?.since ?? lag.since;
      await redis.set(keys.archiveLag(archive), JSON.stringify({ ...lag, since }), 'PX', KEPT_FOR_MS);
    },
    async over(archive: string): Promise<void> {
      await redis.del(keys.archiveLag(archive));
    },
  };
}
