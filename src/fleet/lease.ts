import { randomUUID } from 'node:crypto';
import type { RedisClient } from '../redis/connection.ts';
import { defineScript } from './script.ts';

/** Something that one process does at a time. `take`: whether it is this one, which it stays while it asks again in time. */
export function redisLease(redis: RedisClient, key: string): { take(ms: number): Promise<boolean> } {
  const script = defineScript(redis, 'lease-take');
  const holder = randomUUID();
  return { take: async (ms) => (await script([key], [holder, ms])) === 1 };
}
