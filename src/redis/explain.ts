import { FluxError, messageOf } from '../errors.ts';
import { isRedisAway, replyCodeOf } from './away.ts';

/** What the user of REDIS_URL must be permitted at least; see docs/fleet.md. */
export const LEAST_ACL =
  '~{flux-batch}* resetchannels -@all +@read +@write +@scripting +@transaction +@connection +time -@dangerous';

const HINTS: Readonly<Record<string, string>> = {
  NOPERM: `The least that a user needs: ACL SETUSER <user> ${LEAST_ACL}`,
  NOAUTH: 'Put user and password into REDIS_URL: redis://user:password@host:port',
  WRONGPASS: 'Check the user and the password in REDIS_URL.',
  OOM: 'Give it more memory (maxmemory), or remove batches that have ended: flux-batch forget <batch>',
  READONLY: 'REDIS_URL must lead to the primary. After a failover it may take a moment until it does.',
  MISCONF: 'It cannot save its data: look at its log, and at the space on its disk.',
  LOADING: 'It has just started and loads its data. Try again in a moment.',
};
const TRY_AGAIN = 'Try again in a moment, and look at the log of Redis.';

/** A refusal that has nothing to do with what was asked, in words for people; any other error as it is. */
export function explained(error: unknown, command: string): unknown {
  const code = replyCodeOf(error);
  if (code === undefined || error instanceof FluxError) return error;
  const hint = HINTS[code] ?? (isRedisAway(error) ? TRY_AGAIN : undefined);
  if (hint === undefined) return error;
  const tried = /^(eval|evalsha)$/i.test(command) ? 'a script' : command.toUpperCase();
  return new FluxError('redis-refused', `Redis refuses ${tried}: ${messageOf(error)}`, {
    facts: { reply: code, command: command.toUpperCase() },
    hint,
    cause: error,
  });
}
