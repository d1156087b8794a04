import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort, startRedis } from '../services/redis.ts';

export type MortalRedis = Awaited<ReturnType<typeof startMortalRedis>>;

const AWAY_MS = 500;

/** A Redis with an append-only file that dies and comes back at the same address, or becomes a replica for a while. */
export async function startMortalRedis(dir: string) {
  let redis = await startRedis({ appendonly: true, dir });

  return {
    url: redis.url,
    /** kill -9. */
    async dieAndComeBack() {
      await redis.kill();
      await sleep(AWAY_MS);
      redis = await startRedis({ appendonly: true, dir, port: redis.port });
    },
    /** As the old master of a failover: every write is answered with READONLY. */
    async readOnlyWhile(wait: () => Promise<void>) {
      const client = new Redis(redis.url);
      client.on('error', () => {});
      try {
        // A master that nobody is: nothing is synchronized, and its own data stays.
        await client.replicaof('127.0.0.1', await freePort());
        await wait();
      } finally {
        await client.replicaof('NO', 'ONE');
        client.disconnect();
      }
    },
    stop: () => redis.stop(),
  };
}
