import { z } from 'zod';
import { listedMemberSchema, memberSchema } from '../archive/items-member.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import { hashesOf, keysToSet, type OnEnded } from './batch-hash.ts';
import { FEED_KINDS, feedIds, type NewFeed, redisFeedHold } from './feed-hold.ts';
import { defineScript } from './script.ts';

const fileSchema = z.object({ name: z.string(), members: z.array(listedMemberSchema).readonly() });
const fedSchema = z.union([z.literal(-1), z.array(z.string())]);
const droppedSchema = z.tuple([z.number(), z.number()]);

/** `at`: the priority and the member that it has come to; what comes before is fed. */
export type Feed = NewFeed & { id: string; at: { priority: number; member: number } | undefined };

/** Lines whose items are queued and whose jobs may still have to be added. `lines` count from the member's first. */
const addingSchema = z.object({ name: z.string(), member: memberSchema, lines: z.array(z.int()) });
export type Adding = z.infer<typeof addingSchema>;

/** What is left of batches in the archive, for the queue to be filled from as it empties. docs/design.md has the keys. */
export function redisFeeds(redis: RedisClient, keys: Keys, onEnded: OnEnded) {
  const feed = defineScript(redis, 'batch-feed');
  const fed = defineScript(redis, 'batch-fed');
  const drop = defineScript(redis, 'batch-drop-feeds');
  const idsOf = (batch: string) => feedIds(redis, keys, batch);

  async function readFeed(batch: string, id: string): Promise<Feed[]> {
    const [[file, is, at], lines] = await Promise.all([
      redis.hmget(keys.feeds(batch), id, `${id}:is`, `${id}:at`),
      redis.getBuffer(keys.unfed(batch, id)),
    ]);
    // It is fed whole by now.
    if (!file || !lines) return [];
    const [priority, member] = (at ?? '').split(' ').map(Number);
    return [
      {
        id,
        file: fileSchema.parse(JSON.parse(file)),
        is: z.enum(FEED_KINDS).parse(is),
        lines,
        at: priority === undefined || member === undefined ? undefined : { priority, member },
      },
    ];
  }

  return {
    /** Batches that have something to feed. */
    batches: (): Promise<string[]> => redis.smembers(keys.toFeed),
    /** The names of a batch's feeds, the oldest first. */
    idsOf,
    ...redisFeedHold(redis, keys),
    async of(batch: string): Promise<Feed[]> {
      return (await Promise.all((await idsOf(batch)).map((id) => readFeed(batch, id)))).flat();
    },
    /** Makes these lines queued items. Returns those whose jobs are to be added; undefined where nothing may be fed just now. */
    async feed(
      batch: string,
      { id, at }: Pick<Feed, 'id' | 'at'>,
      adding: Adding,
      entries: readonly { line: number; id: string }[],
    ): Promise<ReadonlySet<string> | undefined> {
      const all = [keys.feeds(batch), keys.unfed(batch, id), keys.former(batch), keys.feedHold(batch)];
      const args = [id, at ? `${at.priority} ${at.member}` : '', JSON.stringify(adding)];
      const pairs = entries.flatMap((entry) => [entry.line, entry.id]);
      const ids = fedSchema.parse(await feed(keysToSet(keys, batch, ...all), [...args, ...pairs]));
      return ids === -1 ? undefined : new Set(ids);
    },
    /** What is fed from now on has this priority of its batch. Enqueueing the manifest again gives it that of its own. */
    async setPriority(batch: string, priority: number): Promise<void> {
      await redis.hset(keys.batch(batch), { priority });
    },
    /** Undefined while nobody has changed it. */
    async priority(batch: string): Promise<number | undefined> {
      const found = await redis.hget(keys.batch(batch), 'priority');
      return found === null ? undefined : Number(found);
    },
    /** What was fed last, where its jobs may not all be added. */
    async adding(batch: string): Promise<Adding | undefined> {
      const text = await redis.hget(keys.feeds(batch), 'adding');
      return text === null ? undefined : addingSchema.parse(JSON.parse(text));
    },
    /** Its jobs are added. */
    async added(batch: string, adding: Adding): Promise<void> {
      await fed([...hashesOf(keys, batch), keys.feeds(batch), keys.toFeed], [JSON.stringify(adding)]);
    },
    /** What a cancelled batch has not fed is cancelled. Returns how many items. */
    async drop(batch: string): Promise<number> {
      const all = [...hashesOf(keys, batch), keys.feeds(batch), keys.toFeed];
      const [count, ended] = droppedSchema.parse(await drop(all, []));
      if (ended === 1) await onEnded(batch);
      return count;
    },
  };
}
export type RedisFeeds = ReturnType<typeof redisFeeds>;
