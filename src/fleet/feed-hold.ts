import { randomUUID } from 'node:crypto';
import type { ItemsFile } from '../archive/items-file.ts';
import type { LineSet } from '../batch/line-set.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import { keysToSet } from './batch-hash.ts';
import { defineScript } from './script.ts';

/** Of the batch's manifest, of a former one, or of a cancelled batch. */
export const FEED_KINDS = ['wanted', 'former', 'dropped'] as const;
/** Items of a batch that wait in the archive: those lines of an items file. */
export type NewFeed = { file: ItemsFile; is: (typeof FEED_KINDS)[number]; lines: LineSet };

/** Whoever puts feeds in order says again within this time that it is still at it. */
const HELD_FOR_MS = 60_000;
/** Lines that are written and belong to no feed, as after a crash. */
const STRAY_FOR_S = 3_600;

export async function feedIds(redis: RedisClient, keys: Keys, batch: string): Promise<string[]> {
  const fields = await redis.hkeys(keys.feeds(batch));
  return fields.flatMap((field) => (field.endsWith(':is') ? [field.slice(0, -':is'.length)] : [])).sort();
}

/** To put a batch's feeds in order, by one process at a time. */
export function redisFeedHold(redis: RedisClient, keys: Keys) {
  const take = defineScript(redis, 'lease-take');
  const leave = defineScript(redis, 'lease-leave');
  const set = defineScript(redis, 'batch-set-feeds');
  return {
    /** Keeps a batch's feeds from being fed and put in order by others; false while another has it. To be said again in time. */
    async hold(batch: string, holder: string): Promise<boolean> {
      return (await take([keys.feedHold(batch)], [holder, HELD_FOR_MS])) === 1;
    },
    async letGo(batch: string, holder: string): Promise<void> {
      await leave([keys.feedHold(batch)], [holder]);
    },
    /** Puts these feeds in the place of all that the batch has, to be fed up to that window. False when the holder has lost its hold. */
    async replace(batch: string, holder: string, feeds: readonly NewFeed[], window: number): Promise<boolean> {
      const former = await feedIds(redis, keys, batch);
      const named = feeds.map((one, index) => ({ ...one, id: `${Date.now()}-${index}-${randomUUID().slice(0, 8)}` }));
      for (const { id, lines } of named) await redis.set(keys.unfed(batch, id), lines, 'EX', STRAY_FOR_S);
      const more = [...named.map(({ id }) => id), ...former].map((id) => keys.unfed(batch, id));
      const args = named.flatMap(({ id, file, is }) => [id, JSON.stringify(file), is]);
      const all = keysToSet(keys, batch, keys.feeds(batch), keys.feedHold(batch), keys.toFeed, ...more);
      return (await set(all, [holder, window, goSeveralWays(feeds) ? '1' : '', ...args])) === 1;
    },
    /** Nothing more could be fed as the batch stood at that version. */
    async noteFull(batch: string, version: number): Promise<void> {
      await redis.hset(keys.batch(batch), { full: version });
    },
  };
}

/** Whether some of their items may wait for an account while others need not. What an older version listed does not tell it. */
function goSeveralWays(feeds: readonly NewFeed[]): boolean {
  const members = feeds.flatMap(({ file, is }) => (is === 'dropped' ? [] : file.members));
  return members.every(({ ways }) => ways) && new Set(members.flatMap(({ ways = [] }) => ways)).size > 1;
}
