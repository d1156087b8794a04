import type { Clock } from '../redis/clock.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import { defineScript } from './script.ts';

/** A drop that is taken again some days later is one that a person has put there again. */
const KEPT_MS = 3 * 86_400_000;

/** What all inboxes of an API together let batches spend on a day, in credits: reserved before a batch is enqueued. */
export function redisInboxBudget(redis: RedisClient, keys: Keys, clock: Clock) {
  const reserve = defineScript(redis, 'inbox-reserve');
  const today = () => keys.inboxDay(new Date(clock.now()).toISOString().slice(0, 10));
  return {
    /** False, and nothing is reserved, when the day's sum would pass `most`. Asking again for a drop reserves nothing more. */
    async reserve(drop: string, credits: number, most: number | undefined): Promise<boolean> {
      return (await reserve([today()], [drop, credits, most ?? '', KEPT_MS])) === 1;
    },
    async spentToday(): Promise<number> {
      return Number((await redis.hget(today(), 'sum')) ?? 0);
    },
  };
}
export type InboxBudget = ReturnType<typeof redisInboxBudget>;
