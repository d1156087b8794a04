import { UsageError } from '../errors.ts';
import { fieldOf } from './private/membership.ts';

/** What we need of a connection. Both Redis and Cluster of ioredis have it. */
export type Inspectable = {
  info(section: string): Promise<string>;
  config(subcommand: 'GET', setting: string): Promise<unknown>;
};

/** What decides whether jobs survive in a Redis; undefined where it does not tell. */
export type Safety = { policy: string | undefined; appendonly: boolean | undefined };

/** Managed servers forbid CONFIG, so INFO is asked first. */
export async function safetyOf(connection: Inspectable): Promise<Safety> {
  const policy = await settingOf(connection, 'memory', 'maxmemory_policy', 'maxmemory-policy');
  const aof = await settingOf(connection, 'persistence', 'aof_enabled', 'appendonly');
  return { policy, appendonly: aof === undefined ? undefined : aof === '1' || aof === 'yes' };
}

/** A queue that loses keys loses jobs. */
export function evicts({ policy }: Safety): boolean {
  return policy !== undefined && policy !== 'noeviction';
}

/** Throws a UsageError (`redis-evicts`) if Redis may evict keys. Returns warnings for people. */
export async function checkRedis(connection: Inspectable, options: { allowEviction: boolean }): Promise<string[]> {
  const safety = await safetyOf(connection);
  const { policy } = safety;
  if (evicts(safety) && !options.allowEviction) {
    throw new UsageError('redis-evicts', `Redis may evict queue keys: maxmemory-policy is ${policy}, not noeviction`, {
      facts: { policy },
      hint: 'Set it: redis-cli config set maxmemory-policy noeviction. REDIS_ALLOW_EVICTION=true goes on regardless.',
    });
  }

  const warnings: string[] = [];
  if (evicts(safety)) warnings.push(`Redis may evict queue keys: maxmemory-policy is ${policy}`);
  if (policy === undefined) warnings.push('Redis does not tell its maxmemory-policy; make sure that it is noeviction');
  if (safety.appendonly === false) {
    warnings.push(
      'Redis has appendonly off: if it restarts, enqueue the manifest again (the archive knows what was paid for)',
    );
  }
  return warnings;
}

async function settingOf(connection: Inspectable, section: string, field: string, setting: string) {
  const reported = await connection.info(section).then((info) => fieldOf(info, field), forbidden);
  return reported ?? (await connection.config('GET', setting).then(valueIn, forbidden));
}

/** An ACL or a managed server may refuse the question. A lost connection shows in the next command. */
function forbidden(): undefined {}

/** The reply is `['maxmemory-policy', 'noeviction']`, or a map under RESP3. */
function valueIn(reply: unknown): string | undefined {
  const value: unknown = Array.isArray(reply) ? reply[1] : Object.values(Object(reply))[0];
  return typeof value === 'string' ? value : undefined;
}
