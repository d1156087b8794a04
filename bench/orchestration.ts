import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Queue } from 'bullmq';
import type { Overrides } from '../src/config.ts';
import { DEFAULT_PREFIX, keysOf } from '../src/redis/keys.ts';
import { startRedis } from '../test/services/redis.ts';
import type { BareInput } from './bare-member.ts';
import { BARE_QUEUES } from './bare-queues.ts';
import { enqueueBatch, itemAt, itemsOf } from './batch.ts';
import type { Bench } from './bench.ts';
import { startMember } from './children.ts';
import type { FleetInput, FleetResult } from './fleet-member.ts';
import { median, perSecond, timed, times } from './measure.ts';
import { watchRedis } from './redis-stats.ts';

const CONCURRENCY = 50;
const BATCH = 'bench';
export const NO_DECODE = ['--import', fileURLToPath(new URL('no-decode.js', import.meta.url))];

type Round = { processes: number; itemsPerSecond: number; cpuMsPerItem: number; redis: unknown };

/** What the guarantees cost over a chain of queues that has none. */
export const orchestrationBench: Bench = {
  name: 'orchestration',
  async run({ quick }) {
    const items = quick ? 2_000 : 6_000;
    const rounds = quick ? 2 : 5;
    const server = await startRedis({ appendonly: true });
    try {
      const bare: Round[] = [];
      const ours: Round[] = [];
      for (let round = 0; round < rounds; round++) {
        bare.push(await runBare(server.url, items));
        ours.push(await runOurs(server.url, items, 1));
      }
      const many = [];
      for (const processes of quick ? [2] : [2, 4]) {
        const some: Round[] = [];
        for (let round = 0; round < (quick ? 1 : 3); round++) some.push(await runOurs(server.url, items, processes));
        many.push(some);
      }
      const rate = (some: Round[]) => median(some.map(({ itemsPerSecond }) => itemsPerSecond));
      const ratio = median(
        ours.map(({ itemsPerSecond }, round) => itemsPerSecond / (bare[round]?.itemsPerSecond ?? 0)),
      );
      const rows = [
        {
          what: 'orchestration: items/s against a bare three-queue chain',
          target: '≥ 0.4 ×',
          measured: `${times(ratio)} (${perSecond(rate(ours))} of ${perSecond(rate(bare))})`,
          met: ratio >= 0.4,
        },
        {
          what: 'orchestration in 1, 2, 4 processes',
          target: 'no loss',
          measured: [ours, ...many].map((some) => perSecond(rate(some))).join(', '),
          met: many.every((some) => rate(some) >= rate(ours) * 0.95),
        },
      ];
      return { rows, data: { bare, ours, many } };
    } finally {
      await server.stop();
    }
  },
};

async function runOurs(redisUrl: string, items: number, processes: number): Promise<Round> {
  const watch = watchRedis(redisUrl);
  await watch.reset();
  const config: Overrides = {
    REDIS_URL: redisUrl,
    FLUX_API_KEY: 'none',
    FLUX_RATE_LIMIT: '1000000/1s',
    FLUX_POLL_LIMIT: '1000000/1s',
    FLUX_MAX_TASKS: '1000000',
    ARCHIVE_URL: await mkdtemp(join(tmpdir(), 'flux-batch-bench-')),
  };
  // The fleet knows already that tasks end at once: else the first few would be asked for after seconds.
  await watch.redis.lpush(keysOf(DEFAULT_PREFIX).durations('flux-kontext-pro'), ...Array<number>(10).fill(1));
  const batch = await enqueueBatch(config, BATCH, itemsOf(BATCH, items));
  await watch.redis.config('RESETSTAT');
  const input: FleetInput = {
    config,
    instant: true,
    concurrency: { submit: CONCURRENCY, poll: CONCURRENCY, archive: CONCURRENCY },
  };
  const members = await Promise.all(
    Array.from({ length: processes }, () => startMember<FleetResult>('fleet-member', input, { execArgv: NO_DECODE })),
  );
  const { ms } = await timed(() => batch.ended());
  const redis = await watch.perItem(items);
  const results = await Promise.all(members.map((member) => member.stop()));
  await batch.close();
  watch.close();
  const cpuMs = results.reduce((sum, result) => sum + result.cpuMs, 0);
  return { processes, itemsPerSecond: (items * 1_000) / ms, cpuMsPerItem: cpuMs / items, redis };
}

export async function runBare(redisUrl: string, items: number): Promise<Round> {
  const watch = watchRedis(redisUrl);
  await watch.reset();
  const prefix = '{bare}';
  const connection = watch.redis;
  const queues = BARE_QUEUES.map((name) => new Queue(name, { connection, prefix }));
  const jobs = Array.from({ length: items }, (_, index) => ({
    name: 'item',
    data: { ...itemAt('bench', index), queuedAt: Date.now() },
    opts: { jobId: `bench/${index}`, removeOnComplete: true, removeOnFail: true },
  }));
  await queues[0]?.addBulk(jobs);
  await watch.redis.config('RESETSTAT');
  const input: BareInput = { redisUrl, prefix, concurrency: CONCURRENCY };
  const member = await startMember<FleetResult>('bare-member', input);
  const isOver = async () => {
    const counts = await Promise.all(queues.map((queue) => queue.getJobCountByTypes('waiting', 'active')));
    return counts.every((count) => count === 0);
  };
  const { ms } = await timed(async () => {
    while (!(await isOver())) await sleep(20);
  });
  const redis = await watch.perItem(items);
  const { cpuMs } = await member.stop();
  await Promise.all(queues.map((queue) => queue.close()));
  watch.close();
  return { processes: 1, itemsPerSecond: (items * 1_000) / ms, cpuMsPerItem: cpuMs / items, redis };
}
