import { Redis } from 'ioredis';
import { parseRedisUrl } from '../../src/redis/url.ts';

/** A connection that is tried once, to a server or a socket; ioredis itself has no URL for sockets. */
export function clientOf(url: string): Redis {
  const once = { lazyConnect: true, retryStrategy: () => null };
  const place = parseRedisUrl(url);
  const redis =
    place.kind === 'socket'
      ? new Redis({ ...once, path: place.path, password: place.password, db: place.db })
      : new Redis(url, once);
  redis.on('error', () => {});
  return redis;
}
