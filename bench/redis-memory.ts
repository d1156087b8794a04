import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { taskKeys } from '../src/fleet/task-claims.ts';
import { DEFAULT_PREFIX, keysOf } from '../src/redis/keys.ts';
import { startRedis } from '../test/services/redis.ts';
import { enqueueBatch, itemsOf } from './batch.ts';
import type { Bench } from './bench.ts';
import { startMember } from './children.ts';
import type { FleetInput } from './fleet-member.ts';
import { NO_DECODE } from './orchestration.ts';
import { watchRedis } from './redis-stats.ts';

/** What an item leaves in Redis after its batch has ended: its state and its charge, packed. */
export const redisMemoryBench: Bench = {
  name: 'redis-memory',
  async run({ quick }) {
    const items = quick ? 5_000 : 20_000;
    const redis = await startRedis();
    const watch = watchRedis(redis.url);
    const folder = await mkdtemp(join(tmpdir(), 'flux-batch-bench-'));
    const config = {
      REDIS_URL: redis.url,
      FLUX_API_KEY: 'none',
      FLUX_RATE_LIMIT: '1000000/1s',
      FLUX_POLL_LIMIT: '1000000/1s',
      FLUX_MAX_TASKS: '1000000',
      ARCHIVE_URL: folder,
    };
    const input: FleetInput = { config, instant: true, concurrency: { submit: 50, poll: 50, archive: 50 } };
    const fleet = await startMember('fleet-member', input, { execArgv: NO_DECODE });
    try {
      await watch.redis.lpush(keysOf(DEFAULT_PREFIX).durations('flux-kontext-pro'), ...Array<number>(10).fill(1));
      const keys = keysOf(DEFAULT_PREFIX);
      /** `forADay`: with what goes within a day, the tasks above all. */
      const usedAfter = async (batch: string, count: number) => {
        const handle = await enqueueBatch(config, batch, itemsOf(batch, count));
        await handle.ended();
        await handle.close();
        while ((await watch.redis.hlen(keys.items(batch))) > 0) await sleep(100);
        const forADay = await watch.usedMemory();
        await watch.redis.del(keys.recentlyArchived(batch), ...taskKeys(keys, batch));
        return { forADay, used: await watch.usedMemory() };
      };
      // The first batch fills what does not grow any further, such as BullMQ's streams of events.
      const { used: before } = await usedAfter('first', 6_000);
      const { used: after, forADay: afterWithTasks } = await usedAfter('second', items);
      const bytes = (after - before) / items;
      const forADay = (afterWithTasks - after) / items;
      const rows = [
        {
          what: 'Redis for an item that has ended',
          target: '≤ 16 B',
          measured: `${Math.round(bytes)} B; for a day ${Math.round(forADay)} B more, for the tasks`,
          met: bytes <= 16,
        },
      ];
      return { rows, data: { items, before, afterWithTasks, after, bytes } };
    } finally {
      await fleet.stop();
      watch.close();
      await redis.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};
