import { randomUUID } from 'node:crypto';
import { FluxError, messageOf, UsageError } from '../errors.ts';
import { replyCodeOf } from './away.ts';
import type { RedisClient } from './connection.ts';
import { LEAST_ACL } from './explain.ts';
import { DEFAULT_PREFIX } from './keys.ts';

/**
 * A call of each command that we or BullMQ send, most of them from scripts, each on a key of its kind. A command that is refused
 * later, in the middle of a batch, would leave what was begun half done.
 */
const CALLS: Readonly<Record<string, readonly string[]>> = {
  string: [
    'SET K 1 PX 10000',
    'GET K',
    'INCR K',
    'INCRBY K 1',
    'EXISTS K',
    'TYPE K',
    'PERSIST K',
    'PEXPIREAT K 1',
    'UNLINK K',
  ],
  hash: [
    ...['HSET K a 1', 'PEXPIRE K 10000', 'PTTL K', 'HSETNX K a 1', 'HMSET K a 1', 'HGET K a', 'HMGET K a', 'HGETALL K'],
    ...['HKEYS K', 'HVALS K', 'HLEN K', 'HEXISTS K a', 'HINCRBY K n 1', 'HINCRBYFLOAT K n 1', 'HSCAN K 0', 'HDEL K a'],
  ],
  list: [
    ...[
      'LPUSH K a b',
      'PEXPIRE K 10000',
      'RPUSH K c',
      'LRANGE K 0 1',
      'LLEN K',
      'LINDEX K 0',
      'LSET K 0 a',
      'LPOS K a',
    ],
    ...['RPOPLPUSH K K', 'RENAME K K', 'LTRIM K 0 9', 'LREM K 0 b', 'LPOP K', 'RPOP K'],
  ],
  set: ['SADD K a b', 'PEXPIRE K 10000', 'SCARD K', 'SISMEMBER K a', 'SMEMBERS K', 'SREM K a'],
  sorted: [
    ...[
      'ZADD K 1 a 2 b 3 c',
      'PEXPIRE K 10000',
      'ZCARD K',
      'ZSCORE K a',
      'ZMSCORE K a',
      'ZCOUNT K 1 2',
      'ZLEXCOUNT K - +',
      'ZRANGE K 0 1',
    ],
    ...[
      'ZRANGEBYSCORE K 1 2',
      'ZRANGEBYLEX K - +',
      'ZREVRANGE K 0 1',
      'ZREVRANGEBYSCORE K 2 1',
      'ZSCAN K 0',
      'ZPOPMIN K',
    ],
    ...['BZPOPMIN K 1', 'ZREM K c', 'ZREMRANGEBYSCORE K 1 2', 'ZREMRANGEBYRANK K 0 1'],
  ],
  stream: [
    'XADD K MAXLEN ~ 9 * a 1',
    'PEXPIRE K 10000',
    'XLEN K',
    'XRANGE K - +',
    'XTRIM K MAXLEN 9',
    'XDEL K 1-1',
    'DEL K',
  ],
  script: ['EVAL SCRIPT 1 K', 'TIME'],
};
const SCRIPT = "return redis.call('EXISTS', KEYS[1])";

/** Throws a UsageError (`redis-denied`) that names every command that the user of this connection must not send. */
export async function checkRights(redis: RedisClient): Promise<void> {
  const id = randomUUID();
  const refused = await Promise.all(
    Object.entries(CALLS).map(([kind, calls]) => tryAll(redis, calls, `${kind}:${id}`)),
  );
  const transaction = await redis
    .multi()
    .exists(`${DEFAULT_PREFIX}:rights:${id}`)
    .exec()
    .then(granted, refusal('MULTI'));
  const all = [...refused.flat(), ...transaction];
  const [first] = all;
  if (first === undefined) return;
  const commands = [...new Set(all.map(({ command }) => command))].join(', ');
  throw new UsageError('redis-denied', `The Redis user of REDIS_URL must not ${commands}: ${first.message}`, {
    facts: { commands },
    hint: `The least that a user needs: ACL SETUSER <user> ${LEAST_ACL}`,
    cause: first.error,
  });
}

type Refused = { command: string; message: string; error: unknown };

async function tryAll(redis: RedisClient, calls: readonly string[], name: string): Promise<Refused[]> {
  const key = `${DEFAULT_PREFIX}:rights:${name}`;
  // They are sent in this order, and answered in it.
  const answers = [...calls, 'DEL K'].map((call) => {
    const [command = '', ...args] = call.split(' ');
    const given = args.map((arg) => (arg === 'K' ? key : arg === 'SCRIPT' ? SCRIPT : arg));
    return redis.call(command, ...given).then(granted, refusal(command));
  });
  return (await Promise.all(answers)).flat();
}

const granted = (): Refused[] => [];

/** Only a missing right counts: whether a key is there, or is of the right type, says nothing of it. */
function refusal(command: string): (error: unknown) => Refused[] {
  return (error) => {
    const reply = replyCodeOf(error);
    if (reply === undefined) throw error;
    if (reply !== 'NOPERM') return [];
    const cause = error instanceof FluxError ? error.cause : error;
    return [{ command, message: messageOf(cause), error: cause }];
  };
}
