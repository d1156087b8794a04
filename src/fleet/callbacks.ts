import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { Callbacks } from '../stages/ports.ts';
import { defineScript } from './script.ts';

/** As many of the latest tasks say whether callbacks come: few enough to forget soon, enough for a poll to wait long. */
const KEPT = 50;
/** After so long without a task nothing is known any more. */
const FORGOTTEN_AFTER_MS = 15 * 60_000;
/** Tasks in a row without a callback after which callbacks stay away, whatever share came before; see lua/callbacks-note.lua. */
const MISSED = { least: 2, most: 10 };
/** Tasks in a row with one after which they come again. */
const BACK = 5;
/** How old a share may be that is worked by. */
export const SHARE_CACHED_MS = 500;
const ASKED_EVERY_MS = 10_000;
const MOST_MODELS = 100;

const awaySchema = z.object({
  since: z.number(),
  last: z.number(),
  missed: z.number(),
  cameAt: z.number().exactOptional(),
});
/**
 * The tasks of an account are not called back: so many in a row. `since` when that is known, and when the last callback came; epoch
 * milliseconds by the clock of Redis.
 */
export type CallbacksAway = { account: string; since: number; missed: number; cameAt: number | null };

/** `onAway`: told once in the fleet when they begin to stay away. `account`: its name, see wiring/accounts.ts. */
export function redisCallbacks(redis: RedisClient, keys: Keys, account: string, onAway: () => void): Callbacks {
  const noteEnd = defineScript(redis, 'callbacks-note');
  const key = keys.callbacks(account);
  let askedAt = Number.NEGATIVE_INFINITY;
  const shares = new LRUCache<string, number>({
    max: MOST_MODELS,
    ttl: SHARE_CACHED_MS,
    async fetchMethod(model) {
      const [latest, away] = await redis.hmget(key, `latest:${model}`, 'awaySince');
      return away ? 0 : shareOf(latest ?? '');
    },
  });

  return {
    asked(submittedAt) {
      if (performance.now() - askedAt < ASKED_EVERY_MS) return;
      askedAt = performance.now();
      // Tasks from before were perhaps not to be called back.
      redis
        .multi()
        .hsetnx(key, 'askedSince', submittedAt)
        .pexpire(key, FORGOTTEN_AFTER_MS)
        .exec()
        .catch(() => {});
    },
    async share(model) {
      return (await shares.fetch(model)) ?? 0;
    },
    async note({ model, submittedAt, endedAt }, came) {
      const args = [
        model,
        came ? 1 : 0,
        submittedAt,
        endedAt,
        account,
        KEPT,
        FORGOTTEN_AFTER_MS,
        MISSED.least,
        MISSED.most,
        BACK,
      ];
      if ((await noteEnd([key, keys.callbacksAway], args)) === 1) onAway();
    },
  };
}

/** One that did not come is counted besides those seen: nobody knows what comes next, and of no tasks at all the share is 0. */
function shareOf(latest: string): number {
  return latest.replaceAll('0', '').length / (latest.length + 1);
}

/**
 * Of the latest tasks of an account, so many were called back before a poll found them. Null where none was asked for lately. `awaySince`
 * while they stay away.
 */
export type CallbacksSeen = { came: number; of: number; awaySince: number | null };

export async function readCallbacks(redis: RedisClient, keys: Keys, account: string): Promise<CallbacksSeen | null> {
  const [asked, latest, away] = await redis.hmget(keys.callbacks(account), 'askedSince', 'latest', 'awaySince');
  if (!asked && !latest) return null;
  const seen = latest ?? '';
  return { came: seen.replaceAll('0', '').length, of: seen.length, awaySince: away ? Number(away) : null };
}

/** Where no callbacks are asked for. */
export const noCallbacks: Callbacks = { asked() {}, share: async () => 0, async note() {} };

/** Accounts whose callbacks stay away, as the latest tasks say. */
export async function readCallbacksAway(redis: RedisClient, keys: Keys, now: number): Promise<CallbacksAway[]> {
  return Object.entries(await redis.hgetall(keys.callbacksAway)).flatMap(([account, text]) => {
    const { since, last, missed, cameAt = null } = awaySchema.parse(JSON.parse(text));
    return now - last < FORGOTTEN_AFTER_MS ? [{ account, since, missed, cameAt }] : [];
  });
}
