import type { Clock } from '../redis/clock.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';

/** `at`: when the account said so, epoch milliseconds by the clock of Redis. */
export type CreditsLeft = { left: number; at: number };

/** What was true so long ago says nothing any more. */
const KEPT_MS = 24 * 3_600_000;

/** What an account has left by its own word, for who may not ask it, or has no key of it. */
export function redisCredits(redis: RedisClient, { credits }: Pick<Keys, 'credits'>, clock: Clock) {
  return {
    /** It is for people to look at: never throws. */
    async note(left: number): Promise<void> {
      const noted = redis.multi().hset(credits, { left, at: clock.now() }).pexpire(credits, KEPT_MS).exec();
      await noted.catch(() => {});
    },
    /** Null where nobody has asked within a day. */
    async last(): Promise<CreditsLeft | null> {
      const [left, at] = (await redis.hmget(credits, 'left', 'at')).map((text) => (text ? Number(text) : undefined));
      return left === undefined || at === undefined ? null : { left, at };
    },
  };
}
export type RedisCredits = ReturnType<typeof redisCredits>;
