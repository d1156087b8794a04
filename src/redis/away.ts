import { ReplyError } from 'ioredis';

/**
 * The first word of an error reply is its code (Redis protocol, "simple errors"). With these the server says that it cannot serve
 * just now: it loads its data, is or became a replica, has no disk or no memory, or its cluster is being mended.
 */
const NOT_NOW = new Set([
  ...['LOADING', 'READONLY', 'MASTERDOWN', 'NOREPLICAS', 'MISCONF', 'OOM', 'BUSY'],
  ...['CLUSTERDOWN', 'TRYAGAIN', 'MOVED', 'ASK'],
]);

/** Whether Redis, and no bug of ours, is why a command failed. Lost connections are waited out and throw nothing. */
export function isRedisAway(error: unknown): boolean {
  return error instanceof Error && error instanceof ReplyError && NOT_NOW.has(error.message.split(' ', 1)[0] ?? '');
}
