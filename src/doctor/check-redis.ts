import type { Config } from '../config.ts';
import { examineRedis, type RedisFacts } from '../redis/examine.ts';
import { LEAST_ACL } from '../redis/explain.ts';
import { DEFAULT_PREFIX } from '../redis/keys.ts';
import { openUnchecked } from '../redis/open.ts';
import type { RefusedCommand } from '../redis/refused-commands.ts';
import { evicts } from '../redis/safety.ts';
import { withoutPassword } from '../text/scrub.ts';
import { plain } from '../text/terminal.ts';
import type { Closers } from '../wiring/closers.ts';
import { type Check, failed, ok, warning } from './check.ts';

/** What BullMQ recommends, and docs/fleet.md asks for. */
const LEAST_VERSION = [6, 2] as const;
const MEMORY_IS_SHORT = 0.9;
const MOST_NAMED = 8;

/** Whether Redis is reached, permits what we need, and keeps what it is given. `facts` is undefined where it is not reached. */
export async function lookAtRedis(config: Config, closers: Closers): Promise<RedisFacts> {
  const { redis } = await openUnchecked(config, { patient: false }, closers);
  return examineRedis(redis, DEFAULT_PREFIX);
}

export function judgeRedis(facts: RedisFacts, config: Pick<Config, 'redisUrl' | 'allowEviction'>): Check[] {
  const where = config.redisUrl === undefined ? 'a private server in .flux-batch/' : withoutPassword(config.redisUrl);
  return [
    ok('redis', `${facts.product} ${facts.version ?? 'of a version that it does not tell'} answers: ${where}`),
    ...version(facts),
    ...permissions(facts.refused),
    ...eviction(facts, config),
    ...persistence(facts),
    ...memory(facts),
  ];
}

function version({ speaks }: RedisFacts): Check[] {
  if (speaks === undefined) return [];
  const [major = 0, minor = 0] = speaks.split('.').map(Number);
  const isOld = major < LEAST_VERSION[0] || (major === LEAST_VERSION[0] && minor < LEAST_VERSION[1]);
  return isOld ? [failed('redis', `version ${speaks} is too old`, 'Use Redis 6.2 or later, or Valkey.')] : [];
}

function permissions(refused: readonly RefusedCommand[]): Check[] {
  const [first] = refused;
  if (!first) return [ok('redis', 'every command that is needed is permitted')];
  const names = [...new Set(refused.map(({ command }) => command))];
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  const what = `it refuses ${names.slice(0, MOST_NAMED).join(', ')}${more}: ${plain(first.message)}`;
  return [failed('redis', what, remedyOf(first.code))];
}

function remedyOf(code: string): string {
  switch (code) {
    case 'NOPERM':
      return `Give the user of REDIS_URL the least that it needs: ACL SETUSER <user> ${LEAST_ACL}`;
    case 'READONLY':
      return 'REDIS_URL names a replica: name the master, or its Sentinels (redis+sentinel://…).';
    case 'OOM':
      return 'It has no memory left: raise maxmemory.';
    case 'MISCONF':
      return 'It cannot save to its disk: free some space there.';
    default:
      return 'See what REDIS_URL names: it has to be Redis 6.2 or later, or Valkey.';
  }
}

function eviction(facts: RedisFacts, { allowEviction }: Pick<Config, 'allowEviction'>): Check[] {
  const remedy = 'redis-cli config set maxmemory-policy noeviction, and the same in its configuration file';
  if (facts.policy === undefined) {
    return [warning('redis', 'it does not tell its maxmemory-policy', `Make sure that it is noeviction: ${remedy}`)];
  }
  if (!evicts(facts)) return [ok('redis', 'it evicts no keys (noeviction)')];
  const what = `it may evict keys, and with them jobs: maxmemory-policy is ${facts.policy}`;
  return [allowEviction ? warning('redis', what, remedy) : failed('redis', what, remedy)];
}

function persistence({ appendonly }: RedisFacts): Check[] {
  if (appendonly === undefined) return [];
  if (appendonly) return [ok('redis', 'it keeps its data over a restart (appendonly)')];
  const what = 'appendonly is off: after a restart the manifests have to be enqueued again';
  return [warning('redis', what, 'redis-cli config set appendonly yes, and the same in its configuration file')];
}

function memory({ memoryUsed }: RedisFacts): Check[] {
  if (memoryUsed === undefined || memoryUsed < MEMORY_IS_SHORT) return [];
  return [warning('redis', `${Math.round(memoryUsed * 100)}% of its memory is used`, 'Raise maxmemory.')];
}
