import type { Logger } from 'pino';
import { messageOf } from '../errors.ts';
import type { RedisClient } from './connection.ts';

const ASK_EVERY_MS = 1_000;
/** A Redis that has not answered for so long is away. */
const PATIENCE_MS = 3_000;
const SAY_EVERY_MS = 60_000;
const REMEDY = 'nothing is lost, and it goes on by itself: check the server of REDIS_URL';

export type Presence = {
  /** Since when Redis is away, in epoch milliseconds by this machine's clock, and why; null while it answers. */
  away(): { since: number; message: string } | null;
  stop(): void;
};

/** Tells the log when Redis is lost, once a minute while it is, and when it is back. */
export function watchPresence(redis: Pick<RedisClient, 'ping'>, log: Pick<Logger, 'error' | 'info'>): Presence {
  let isAsking = false;
  /** Of the first question that was not answered. */
  let unansweredSince: number | undefined;
  let message = 'it does not answer';
  let saidAt: number | undefined;

  const away = () =>
    unansweredSince !== undefined && Date.now() - unansweredSince > PATIENCE_MS
      ? { since: unansweredSince, message }
      : null;

  async function ask(): Promise<void> {
    isAsking = true;
    unansweredSince ??= Date.now();
    try {
      await redis.ping();
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
