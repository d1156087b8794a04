import { randomUUID } from 'node:crypto';
import type { RedisClient } from '../redis/connection.ts';
import { defineScript } from './script.ts';

export type Lease = {
  /** Whether it is this process's, which it stays while it asks again in time. */
  take(ms: number): Promise<boolean>;
  /** Others may have it from now on. */
  release(): Promise<void>;
};

/** Something that one process does at a time. */
export function redisLease(redis: RedisClient, key: string): Lease {
  const script = defineScript(redis, 'lease-take');
  const release = defineScript(redis, 'lease-release');
  const holder = randomUUID();
  return {
    take: async (ms) => (await script([key], [holder, ms])) === 1,
    release: async () => {
      await release([key], [holder]);
    },
  };
}
