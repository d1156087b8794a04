import { z } from 'zod';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { Limiter } from '../stages/ports.ts';
import type { Rate } from '../text/duration.ts';
import { limiterScripts, type Outlook, type Running } from './limiter-scripts.ts';
import { slotTaker } from './limiter-slot.ts';

export type LimiterOptions = {
  /** Names the log: limiters of one name on one Redis share their slots. */
  name: string;
  rate: Rate;
  /** The longest that a request may stay unanswered. */
  requestTimeoutMs: number;
  /**
   * Added to the window before a slot is used again, since the provider counts when a request arrives and we count when it is
   * sent. 100 ms measured: no refusal at 20 ms of jitter. A 429 that was a matter of timing adds 50 ms; each success takes 1 ms off.
   */
  marginMs?: number;
  /** How many tasks may run at once, and the keys that hold one member for each. */
  running?: Running;
};

export type LimiterUsage = {
  /** The limit in force, perhaps learned to be lower than configured; undefined before the first request. */
  limit: number | undefined;
  /** What the provider has seen within the last window, with what is unanswered. */
  inWindow: number;
  pausedMs: number;
  sent: number;
  refused: number;
  /** When that was the last time, epoch milliseconds by the clock of Redis; null: never. */
  refusedAt: number | null;
  marginMs: number;
  /** When the first and the last of the slots in use may be used again; 0 where none is. */
  firstSlotMs: number;
  lastSlotMs: number;
};

export type RedisLimiter = Limiter & {
  usage(): Promise<LimiterUsage>;
  /** A look: nothing is taken, and a moment later it may be another's. */
  outlook(): Promise<Outlook>;
};

const MARGIN_MS = 100;
const usageAnswer = z.array(z.number()).length(9);

/**
 * The provider's rate limit, kept for the whole fleet: at most `rate.max` requests are sent within any `rate.windowMs`.
 * A waiter gets a slot of its own with the time at which to send. So waiters neither stampede nor poll.
 */
export function redisLimiter(
  redis: RedisClient,
  keys: Keys,
  { name, rate, requestTimeoutMs, marginMs = MARGIN_MS, running }: LimiterOptions,
): RedisLimiter {
  const log = (['reserved', 'sent', 'free', 'accepted', 'state'] as const).map((part) => keys.limiter(name, part));
  const scripts = limiterScripts(redis, log, {
    rate,
    requestTimeoutMs,
    marginMs,
    running: running ?? { most: 0, lists: [], sortedSets: [] },
  });
  return {
    take: slotTaker(scripts),
    outlook: scripts.outlook,
    async usage() {
      const [
        limit = -1,
        inWindow = 0,
        pausedMs = 0,
        sent = 0,
        refused = 0,
        marginMs = 0,
        at = -1,
        first = 0,
        last = 0,
      ] = usageAnswer.parse(await scripts.usage());
      return {
        ...{ limit: limit < 0 ? undefined : limit, inWindow, pausedMs, sent, refused, refusedAt: at < 0 ? null : at },
        ...{ marginMs, firstSlotMs: first, lastSlotMs: last },
      };
    },
  };
}
