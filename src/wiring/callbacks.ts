import pMap from 'p-map';
import { redisCallbacks, SHARE_CACHED_MS } from '../fleet/callbacks.ts';
import { drawForward } from '../queue/draw-forward.ts';
import type { Keys } from '../redis/keys.ts';
import type { Callbacks } from '../stages/ports.ts';
import type { Connections } from './connections.ts';

/** By then no process works by what was known before. */
const KNOWN_AFTER_MS = SHARE_CACHED_MS * 2;

/**
 * Of an account that is asked to call back. When its callbacks begin to stay away, whatever waits for one is polled as without: all of
 * them come through the one address, so no account is left out.
 */
export function openCallbacks(
  { redis, routes, log, closers }: Pick<Connections, 'redis' | 'routes' | 'log' | 'closers'>,
  keys: Keys,
  account: string,
): Callbacks {
  const timers = new Set<NodeJS.Timeout>();
  closers.push(async () => {
    for (const timer of timers) clearTimeout(timer);
  });
  async function draw(): Promise<void> {
    const drawn = await pMap(await routes.all(), (queues) => drawForward(queues), { concurrency: 1 });
    log.info({ account, tasks: drawn.reduce((sum, count) => sum + count, 0) }, 'polls drawn forward');
  }
  return redisCallbacks(redis, keys, account, () => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      // What is not drawn forward is polled half a minute later at most.
      draw().catch((error: unknown) => log.warn({ account, err: error }, 'polls not drawn forward'));
    }, KNOWN_AFTER_MS).unref();
    timers.add(timer);
  });
}
