import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { Uploads } from '../stages/inputs.ts';

const storedSchema = z.object({ url: z.string(), goodUntil: z.number() });

/** What an account holds of uploaded pictures, for as long as each lives there. `account`: what tells it from others. */
export function redisUploads(redis: RedisClient, keys: Keys, account: string): Uploads {
  const name = createHash('sha256').update(account).digest('hex').slice(0, 16);
  const keyOf = (sha256: string) => keys.upload(name, sha256);
  async function find(sha256: string) {
    const text = await redis.get(keyOf(sha256));
    const read = storedSchema.safeParse(text === null ? undefined : JSON.parse(text));
    return read.success ? read.data : undefined;
  }
  return {
    find,
    async remember(sha256, { url, goodUntil }, now) {
      const lifeMs = Math.floor(goodUntil - now);
      if (lifeMs > 0) await redis.set(keyOf(sha256), JSON.stringify({ url, goodUntil }), 'PX', lifeMs);
    },
    async forget(sha256, url) {
      // Another that came in between is no older than the time of two commands, and would be uploaded once more at worst.
      if ((await find(sha256))?.url === url) await redis.del(keyOf(sha256));
    },
  };
}
