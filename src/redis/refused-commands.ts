import { randomUUID } from 'node:crypto';
import { FluxError, messageOf } from '../errors.ts';
import { replyCodeOf } from './away.ts';
import type { RedisClient } from './connection.ts';

export type RefusedCommand = {
  command: string;
  /** `NOPERM` from an ACL, `READONLY` from a replica, `OOM`, `MISCONF` …: the first word of the answer. */
  code: string;
  message: string;
};

/** Whatever happens to us, a probe is gone after this time. */
const GONE_AFTER_MS = '60000';

/**
 * Sends each command that BullMQ and we use, on keys of a probe below our prefix, and returns those that Redis refuses. Lua scripts
 * are held to the same ACL as their caller.
 */
export async function refusedCommands(redis: RedisClient, prefix: string): Promise<RefusedCommand[]> {
  const probe = `${prefix}:doctor:${randomUUID()}`;
  const key = (name: string) => `${probe}:${name}`;
  const calls = [...probesOf(key), ['UNLINK', ...PARTS.map(key)]];
  // All at once: one connection keeps their order.
  const refused = await Promise.all(
    calls.map(async ([command = '', ...args]): Promise<RefusedCommand[]> => {
      try {
        await redis.call(command, ...args);
        return [];
      } catch (error) {
        const code = replyCodeOf(error);
        if (code === undefined) throw error;
        const message = messageOf(error instanceof FluxError ? error.cause : error);
        return [{ command: command.toUpperCase(), code, message }];
      }
    }),
  );
  return [...refused.flat(), ...(await refusedTransaction(redis, probe))];
}

/** Commands of others on this connection must not come between: so as a transaction of ioredis. */
async function refusedTransaction(redis: RedisClient, probe: string): Promise<RefusedCommand[]> {
  try {
    await redis.multi().exists(probe).exec();
    return [];
  } catch (error) {
    const code = replyCodeOf(error);
    if (code === undefined) throw error;
    const reasons: unknown = Reflect.get(Object(error), 'previousErrors');
    return [{ command: 'MULTI', code, message: messageOf(Array.isArray(reasons) ? reasons[0] : error) }];
  }
}

const PARTS = ['hash', 'string', 'list', 'set', 'sorted', 'stream', 'renamed'];

function probesOf(key: (name: string) => string): string[][] {
  const [hash, text, list, set, sorted, stream, renamed] = PARTS.map(key);
  const on = (place = '', ...commands: string[]) =>
    commands.map((words) => {
      const [command = '', ...args] = words.split(' ');
      return [command, place, ...args];
    });
  return [
    ...on(
      hash,
      'HSET a 1',
      'HMSET a 1',
      `PEXPIRE ${GONE_AFTER_MS}`,
      'HGET a',
      'HMGET a b',
      'HGETALL',
      'HINCRBY n 1',
      'HLEN',
      'HKEYS',
    ),
    ...on(
      hash,
      'HINCRBYFLOAT f 0.5',
      'HEXISTS a',
      'HSETNX b 1',
      'HVALS',
      'HSCAN 0',
      'HDEL b',
      'EXISTS',
      'TYPE',
      'PTTL',
    ),
    ...on(text, `SET 1 PX ${GONE_AFTER_MS}`, 'GET', 'INCR', 'INCRBY 2', 'PERSIST', `PEXPIRE ${GONE_AFTER_MS}`),
    ...on(list, 'LPUSH a b', `PEXPIRE ${GONE_AFTER_MS}`, 'RPUSH c d e', 'LRANGE 0 -1', 'LLEN', 'LINDEX 0', 'LPOS a'),
    ...on(list, 'LSET 0 f', 'LREM 1 f', 'LTRIM 0 5', `RPOPLPUSH ${list}`, 'LPOP', 'RPOP'),
    ...on(set, 'SADD a b', `PEXPIRE ${GONE_AFTER_MS}`, 'SCARD', 'SMEMBERS', 'SISMEMBER a', 'SREM b'),
    ...on(sorted, 'ZADD 1 a 2 b 3 c 4 d', `PEXPIRE ${GONE_AFTER_MS}`, 'ZRANGE 0 -1', 'ZRANGEBYSCORE 0 9', 'ZCOUNT 0 9'),
    ...on(
      sorted,
      'ZREVRANGE 0 -1',
      'ZREVRANGEBYSCORE 9 0',
      'ZRANGEBYLEX - +',
      'ZLEXCOUNT - +',
      'ZCARD',
      'ZSCORE a',
      'ZMSCORE a',
    ),
    ...on(sorted, 'ZSCAN 0', 'ZREM a', 'ZREMRANGEBYSCORE 2 2', 'ZREMRANGEBYRANK 5 6', 'ZPOPMIN', 'BZPOPMIN 0.01'),
    ...on(stream, 'XADD * a 1', `PEXPIRE ${GONE_AFTER_MS}`, 'XLEN', 'XRANGE - +', 'XTRIM MAXLEN 1', 'XDEL 0-1'),
    ['XREAD', 'STREAMS', stream ?? '', '0'],
    ...on(text, `RENAME ${renamed}`),
    ...on(renamed, 'GETDEL', 'DEL'),
    ['EVAL', "return redis.call('HGET', KEYS[1], 'a')", '1', hash ?? ''],
    ['TIME'],
  ];
}
