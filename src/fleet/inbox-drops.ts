import { z } from 'zod';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';

const waitingSchema = z.object({
  inbox: z.string(),
  url: z.string(),
  take: z.string(),
  batch: z.string(),
  credits: z.number().nullable(),
  why: z.string(),
});
/** A drop that waits for a person. */
export type WaitingDrop = z.infer<typeof waitingSchema>;

/** What processes of an inbox tell each other of its drops. All of it can be read again from the inbox itself, but for approvals. */
export function redisInboxDrops(redis: RedisClient, keys: Keys) {
  const nameOf = (inbox: string, take: string) => `${inbox}/${take}`;
  return {
    async noteOpen(inbox: string, take: string, batch: string): Promise<void> {
      await redis.hset(keys.inboxOpen(inbox), { [take]: batch });
    },
    /** The takes whose batch has not ended, each with its batch. */
    async open(inbox: string): Promise<[take: string, batch: string][]> {
      return Object.entries(await redis.hgetall(keys.inboxOpen(inbox)));
    },
    async noteEnded(inbox: string, take: string): Promise<void> {
      await redis.hdel(keys.inboxOpen(inbox), take);
    },
    async noteWaiting(drop: WaitingDrop): Promise<void> {
      await redis.hset(keys.inboxWaiting, { [nameOf(drop.inbox, drop.take)]: JSON.stringify(drop) });
    },
    async waiting(): Promise<WaitingDrop[]> {
      const found = Object.values(await redis.hgetall(keys.inboxWaiting));
      return found.map((text) => waitingSchema.parse(JSON.parse(text)));
    },
    async approve({ inbox, take }: Pick<WaitingDrop, 'inbox' | 'take'>): Promise<void> {
      await redis.sadd(keys.inboxApproved, nameOf(inbox, take));
    },
    /** The takes of an inbox that a person has approved. */
    async approved(inbox: string): Promise<string[]> {
      const names = await redis.smembers(keys.inboxApproved);
      return names.filter((name) => name.startsWith(`${inbox}/`)).map((name) => name.slice(inbox.length + 1));
    },
    async noteDecided(inbox: string, take: string): Promise<void> {
      await redis.srem(keys.inboxApproved, nameOf(inbox, take));
      await redis.hdel(keys.inboxWaiting, nameOf(inbox, take));
    },
  };
}
export type InboxDrops = ReturnType<typeof redisInboxDrops>;
