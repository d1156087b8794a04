import { UsageError } from '../errors.ts';
import type { RedisClient } from './connection.ts';
import { LEAST_ACL } from './explain.ts';
import { DEFAULT_PREFIX } from './keys.ts';
import { refusedCommands } from './refused-commands.ts';

/**
 * Throws a UsageError (`redis-denied`) that names every command that the user of this connection must not send. One that is refused
 * later, in the middle of a batch, would leave what was begun half done.
 */
export async function checkRights(redis: RedisClient): Promise<void> {
  const denied = (await refusedCommands(redis, DEFAULT_PREFIX)).filter(({ code }) => code === 'NOPERM');
  const [first] = denied;
  if (first === undefined) return;
  const commands = [...new Set(denied.map(({ command }) => command))].join(', ');
  throw new UsageError('redis-denied', `The Redis user of REDIS_URL may not use ${commands}: ${first.message}`, {
    facts: { commands },
    hint: `The least that a user needs: ACL SETUSER <user> ${LEAST_ACL}`,
  });
}
