import { createHash } from 'node:crypto';
import type { RedisClient } from './connection.ts';

export type Script = (keys: string[], args: (string | number)[]) => Promise<unknown>;

/**
 * Registers a Lua script with a connection and returns the function that runs it by its digest. ioredis loads it again
 * where the server has forgotten it (restart, failover).
 */
export function defineScript(redis: RedisClient, name: string, lua: string): Script {
  const command = `flux_${name}_${createHash('sha1').update(lua).digest('hex').slice(0, 8)}`;
  redis.defineCommand(command, { lua });
  return async (keys, args) => {
    const run: unknown = Reflect.get(redis, command);
    if (typeof run !== 'function') throw new TypeError(`Expected a script named ${command} on the connection`);
    return Reflect.apply(run, redis, [keys.length, ...keys, ...args]);
  };
}
