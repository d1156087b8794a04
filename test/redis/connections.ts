import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { inject, onTestFinished } from 'vitest';
import { keysOf } from '../../src/redis/keys.ts';

/** Keys that no other test has, and connections to the run's Redis that end with the test. */
export function ownRedis(url: string = inject('redisUrl')) {
  const prefix = `test:${randomUUID()}`;
  const connection = () => {
    const redis = new Redis(url);
    redis.on('error', () => {});
    onTestFinished(() => redis.disconnect());
    return redis;
  };
  return { prefix, keys: keysOf(prefix), connection };
}
