import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RedisClient } from '../redis/connection.ts';

export type Script = (keys: string[], args: (string | number)[]) => Promise<unknown>;

const FOLDER = new URL('./lua/', import.meta.url);
const INCLUDE = /^-- @include "([a-z-]+)"$/gm;

/**
 * Registers a script of `lua/` with a connection and returns the function that runs it by its digest. ioredis loads it again
 * where the server has forgotten it (restart, failover).
 */
export function defineScript(redis: RedisClient, name: string): Script {
  const lua = readScript(name);
  const digest = createHash('sha1').update(lua).digest('hex').slice(0, 8);
  const command = `flux_${name.replaceAll('-', '_')}_${digest}`;
  redis.defineCommand(command, { lua });
  return async (keys, args) => {
    const run: unknown = Reflect.get(redis, command);
    if (typeof run !== 'function') throw new TypeError(`Expected a script named ${command} on the connection`);
    return Reflect.apply(run, redis, [keys.length, ...keys, ...args]);
  };
}

/** The whole text of a script: `-- @include "name"` stands for `include/name.lua`, once however often it is named. */
export function readScript(name: string): string {
  const seen = new Set<string>();
  const withIncludes = (text: string): string =>
    text.replace(INCLUDE, (_, include: string) => {
      if (seen.has(include)) return '';
      seen.add(include);
      return withIncludes(readFileSync(new URL(`include/${include}.lua`, FOLDER), 'utf8'));
    });
  return withIncludes(readFileSync(new URL(`${name}.lua`, FOLDER), 'utf8'));
}
