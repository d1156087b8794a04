import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isRedisAway } from '../redis/away.ts';
import type { RedisClient } from '../redis/connection.ts';
import { explained } from '../redis/explain.ts';

export type Script = (keys: string[], args: (string | number)[]) => Promise<unknown>;
type Call = {
  keys: string[];
  args: (string | number)[];
  resolve(answer: unknown): void;
  reject(error: unknown): void;
};

const FOLDER = new URL('./lua/', import.meta.url);
const INCLUDE = /^-- @include "([a-z-]+)"$/gm;
/** So many runs of a script take Redis about a millisecond, in which it serves nobody else. */
const MOST_AT_ONCE = 32;

/**
 * Registers a script of `lua/` with a connection and returns the function that runs it by its digest. ioredis loads it again
 * where the server has forgotten it (restart, failover).
 *
 * Calls that follow from one event (an answer of Redis, a timer) and have the same keys go together, as one run of
 * `lua/include/several.lua`: each is whole or not at all as by itself, and fails by itself. Fifty items at once then cost a fraction
 * of fifty commands.
 */
export function defineScript(redis: RedisClient, name: string): Script {
  const lua = readScript(name);
  const run = command(redis, name, lua);
  const runSeveral = command(redis, `${name}-several`, severally(lua));
  let waiting: Call[] = [];

  function flush(): void {
    const calls = waiting;
    waiting = [];
    for (const alike of alikeIn(calls))
      for (let from = 0; from < alike.length; from += MOST_AT_ONCE) send(alike.slice(from, from + MOST_AT_ONCE));
  }

  function send(calls: readonly Call[]): void {
    const [first, ...others] = calls;
    if (!first) return;
    if (others.length === 0) {
      run(first.keys, first.args).then(first.resolve, first.reject);
      return;
    }
    runSeveral(first.keys, [calls.length, ...columnsOf(calls, first.args.length)]).then(
      (answers) => {
        for (const [index, call] of calls.entries()) settle(call, Array.isArray(answers) ? answers[index] : undefined);
      },
      (error: unknown) => {
        for (const call of calls) call.reject(error);
      },
    );
  }

  function settle(call: Call, answer: unknown): void {
    if (!(answer instanceof Error)) call.resolve(answer);
    // By itself it is waited for, or refused in words, as any other command.
    else if (isRedisAway(answer)) run(call.keys, call.args).then(call.resolve, call.reject);
    else call.reject(explained(answer, 'EVALSHA'));
  }

  return (keys, args) =>
    new Promise((resolve, reject) => {
      // Once all that the last event has brought about has run. Any later, and this process and Redis would take turns.
      if (waiting.length === 0) process.nextTick(flush);
      waiting.push({ keys, args, resolve, reject });
    });
}

/** Calls with the same keys and as many arguments, in the order in which they came. */
function alikeIn(calls: readonly Call[]): Iterable<Call[]> {
  if (calls.length === 1) return [[...calls]];
  const alike = new Map<string, Call[]>();
  for (const call of calls) {
    const key = `${call.args.length} ${call.keys.join(' ')}`;
    const known = alike.get(key);
    if (known) known.push(call);
    else alike.set(key, [call]);
  }
  return alike.values();
}

/** The arguments by their place: how many values follow, one where it is the same for all calls, and these. */
function columnsOf(calls: readonly Call[], places: number): (string | number)[] {
  const columns: (string | number)[] = [];
  for (let place = 0; place < places; place++) {
    const values = calls.map(({ args }) => args[place] ?? '');
    const [first = ''] = values;
    if (values.every((value) => value === first)) columns.push(1, first);
    else columns.push(values.length, ...values);
  }
  return columns;
}

function command(redis: RedisClient, name: string, lua: string): Script {
  const digest = createHash('sha1').update(lua).digest('hex').slice(0, 8);
  const defined = `flux_${name.replaceAll('-', '_')}_${digest}`;
  redis.defineCommand(defined, { lua });
  return async (keys, args) => {
    const run: unknown = Reflect.get(redis, defined);
    if (typeof run !== 'function') throw new TypeError(`Expected a script named ${defined} on the connection`);
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

/** A script that runs another one for several callers. */
export function severally(lua: string): string {
  const [before = '', after = ''] = readFileSync(new URL('include/several.lua', FOLDER), 'utf8').split('-- @script\n');
  return `${before}${lua}\n${after}`;
}
