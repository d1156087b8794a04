import type { RedisClient } from './connection.ts';
import { fieldOf } from './private/membership.ts';
import { type RefusedCommand, refusedCommands } from './refused-commands.ts';
import { type Safety, safetyOf } from './safety.ts';

export type RedisFacts = Safety & {
  /** `Redis` or `Valkey`. */
  product: string;
  version: string | undefined;
  /** The version of Redis that it behaves as. */
  speaks: string | undefined;
  refused: readonly RefusedCommand[];
  /** The share of `maxmemory` in use; undefined without a limit. */
  memoryUsed: number | undefined;
  /** Its clock less this machine's, in milliseconds, within half a round trip; undefined where it does not tell. */
  aheadMs: number | undefined;
};

/** What there is to know of a Redis before it is trusted with jobs. Changes nothing but a probe that it removes. */
export async function examineRedis(redis: RedisClient, prefix: string): Promise<RedisFacts> {
  // First: on a connection that has just answered, the round trip is short.
  const aheadMs = await aheadMsOf(redis);
  const [safety, server, memory, refused] = [
    await safetyOf(redis),
    await infoOf(redis, 'server'),
    await infoOf(redis, 'memory'),
    await refusedCommands(redis, prefix),
  ];
  const [used, most] = [Number(fieldOf(memory, 'used_memory')), Number(fieldOf(memory, 'maxmemory'))];
  const [valkey, speaks] = [fieldOf(server, 'valkey_version'), fieldOf(server, 'redis_version')];
  return {
    ...safety,
    product: valkey === undefined ? 'Redis' : 'Valkey',
    version: valkey ?? speaks,
    speaks,
    refused,
    memoryUsed: most > 0 && used >= 0 ? used / most : undefined,
    aheadMs,
  };
}

async function aheadMsOf(redis: RedisClient): Promise<number | undefined> {
  const askedAt = Date.now();
  const time = await redis.time().catch(() => undefined);
  if (!time) return undefined;
  const [seconds, micros] = time;
  return Number(seconds) * 1_000 + Number(micros) / 1_000 - (askedAt + Date.now()) / 2;
}

/** Empty where an ACL or a managed server forbids it. */
async function infoOf(redis: RedisClient, section: string): Promise<string> {
  return redis.info(section).catch(() => '');
}
