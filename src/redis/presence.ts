import { Cluster } from 'ioredis';
import type { Logger } from 'pino';
import { messageOf } from '../errors.ts';
import type { RedisClient } from './connection.ts';
import { DEFAULT_PREFIX } from './keys.ts';
import { redisAway } from './refusals.ts';

const ASK_EVERY_MS = 1_000;
/** A Redis that has not answered for so long is away. */
const PATIENCE_MS = 3_000;
const SAY_EVERY_MS = 60_000;
/** A key that nobody writes. */
const ASKED_FOR = `${DEFAULT_PREFIX}:asked-for`;
const REMEDY = 'nothing is lost, and it goes on by itself: check the server of REDIS_URL';

export type Presence = {
  /** Since when Redis is away, in epoch milliseconds by this machine's clock, and why; null while it answers. */
  away(): { since: number; message: string } | null;
  stop(): void;
};

/**
 * Throws what Redis says where it does not serve us. Any node of a cluster answers PING, also one that takes nothing (CLUSTERDOWN): the
 * one that has our keys is asked for one of them.
 */
export async function askRedis(redis: RedisClient): Promise<void> {
  if (redis instanceof Cluster) await redis.exists(ASKED_FOR);
  else await redis.ping();
}

/** Tells the log when Redis is lost, once a minute while it is, and when it is back. */
export function watchPresence(redis: RedisClient, log: Pick<Logger, 'error' | 'info'>): Presence {
  let isAsking = false;
  /** Of the first question that was not answered. */
  let unansweredSince: number | undefined;
  let message = 'it does not answer';
  let saidAt: number | undefined;

  const away = () => {
    if (unansweredSince === undefined || Date.now() - unansweredSince <= PATIENCE_MS) return null;
    // What a patient connection was refused with it tells nobody who waits for the answer.
    return { since: unansweredSince, message: redisAway(redis)?.message ?? message };
  };

  async function ask(): Promise<void> {
    isAsking = true;
    unansweredSince ??= Date.now();
    try {
      await askRedis(redis);
      if (saidAt !== undefined) log.info({ forMs: Date.now() - unansweredSince }, 'Redis answers again');
      saidAt = undefined;
      unansweredSince = undefined;
      message = 'it does not answer';
    } catch (error) {
      message = messageOf(error);
    } finally {
      isAsking = false;
    }
  }

  const timer = setInterval(() => {
    if (!isAsking) void ask();
    const lost = away();
    if (!lost || (saidAt !== undefined && Date.now() - saidAt < SAY_EVERY_MS)) return;
    const text = saidAt === undefined ? 'Redis does not answer' : 'Redis still does not answer';
    saidAt = Date.now();
    log.error({ kind: 'redis-unreachable', reason: lost.message, forMs: saidAt - lost.since, remedy: REMEDY }, text);
  }, ASK_EVERY_MS);
  timer.unref();
  return { away, stop: () => clearInterval(timer) };
}
