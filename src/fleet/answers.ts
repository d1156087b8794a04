import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';

const storedSchema = z.object({
  /** Of what was sent with it. */
  print: z.string(),
  /** Absent while the first request is being answered. */
  answer: z.object({ status: z.int(), body: z.unknown() }).exactOptional(),
});
export type Answer = { status: number; body: unknown };

/** `mine`: nobody has asked before. `other`: the key came with another request. */
export type Asked = { kind: 'mine' } | { kind: 'answered'; answer: Answer } | { kind: 'under-way' } | { kind: 'other' };

const KEPT_MS = 24 * 3_600_000;
/** A process that dies meanwhile must not keep the key from being tried again. */
const UNDER_WAY_MS = 120_000;

/** What was answered to requests that name themselves by an Idempotency-Key, for a day. */
export function redisAnswers(redis: RedisClient, keys: Keys) {
  const keyOf = (name: string) => keys.answered(createHash('sha256').update(name).digest('hex'));
  return {
    async ask(name: string, print: string): Promise<Asked> {
      const key = keyOf(name);
      const isMine = await redis.set(key, JSON.stringify({ print }), 'PX', UNDER_WAY_MS, 'NX');
      if (isMine !== null) return { kind: 'mine' };
      const text = await redis.get(key);
      // It has just run out.
      if (text === null) return { kind: 'under-way' };
      const stored = storedSchema.parse(JSON.parse(text));
      if (stored.print !== print) return { kind: 'other' };
      return stored.answer ? { kind: 'answered', answer: stored.answer } : { kind: 'under-way' };
    },
    async note(name: string, print: string, answer: Answer): Promise<void> {
      await redis.set(keyOf(name), JSON.stringify({ print, answer }), 'PX', KEPT_MS);
    },
    /** It was not answered: the same key may be tried again. */
    async forget(name: string): Promise<void> {
      await redis.del(keyOf(name));
    },
  };
}
export type Answers = ReturnType<typeof redisAnswers>;
