import { ReplyError } from 'ioredis';
import { FluxError } from '../errors.ts';

/**
 * With these the server says that it cannot serve just now: it loads its data, is or became a replica, has no disk or no memory, or
 * its cluster is being mended.
 */
const NOT_NOW = new Set([
  ...['LOADING', 'READONLY', 'UNBLOCKED', 'MASTERDOWN', 'NOREPLICAS', 'MISCONF', 'OOM', 'BUSY'],
  ...['CLUSTERDOWN', 'TRYAGAIN', 'MOVED', 'ASK'],
]);
/** The server is no primary any more. Its address may lead to the new one, the connection that is open never will. */
const DEMOTED = new Set(['READONLY', 'UNBLOCKED', 'MASTERDOWN']);

/** Redis 6 tells what a command inside of a script met behind words of its own. */
const WITHIN_SCRIPT = /^ERR Error running script.*?-([A-Z]+) /;

/** ioredis gives up what a cluster has refused too often, and quotes the last refusal. */
const GIVEN_UP = /^Too many Cluster redirections\. Last error: ReplyError: ([A-Z]+) /;

/** So it gives up a node of a cluster that it cannot reach and whose slots no other has. Soon the others refuse for it. */
const NODE_LOST = 'Too many Cluster redirections. Last error: Error: Connection is closed.';

/** In scripts, Redis before 7.2 has no code for what the ACL of their caller forbids, only these words. */
const DENIED_WITHIN_SCRIPT = /^ERR .*The user executing the script can't /;

/**
 * The code of an error reply: its first word (Redis protocol, "simple errors"). Of a transaction, what made Redis discard it.
 * Undefined when the error is no reply of Redis, and quotes none.
 */
export function replyCodeOf(error: unknown): string | undefined {
  if (error instanceof FluxError) return error.code === 'redis-refused' ? replyCodeOf(error.cause) : undefined;
  if (!(error instanceof Error)) return undefined;
  if (error.message === NODE_LOST) return 'CLUSTERDOWN';
  if (!(error instanceof ReplyError)) return GIVEN_UP.exec(error.message)?.[1];
  if (DENIED_WITHIN_SCRIPT.test(error.message)) return 'NOPERM';
  const code = WITHIN_SCRIPT.exec(error.message)?.[1] ?? error.message.split(' ', 1)[0];
  const reasons: unknown = Reflect.get(error, 'previousErrors');
  return Array.isArray(reasons) && reasons.length > 0 ? replyCodeOf(reasons[0]) : code;
}

/** Whether Redis, and no bug of ours, is why a command failed. Lost connections are waited out and throw nothing. */
export function isRedisAway(error: unknown): boolean {
  return NOT_NOW.has(replyCodeOf(error) ?? '');
}

/** What a user may not do, or no more: waiting helps only where a person gives the right back. */
const DENIED = new Set(['NOPERM', 'NOAUTH', 'WRONGPASS']);

export function isDenied(error: unknown): boolean {
  return DENIED.has(replyCodeOf(error) ?? '');
}

export function isDemoted(error: unknown): boolean {
  return DEMOTED.has(replyCodeOf(error) ?? '');
}
