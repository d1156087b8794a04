import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_PREFIX, keysOf } from '../src/redis/keys.ts';
import { startRedis } from '../test/services/redis.ts';
import { enqueueBatch, itemsOf } from './batch.ts';
import type { Bench } from './bench.ts';
import { startMember } from './children.ts';
import type { FleetInput, FleetResult } from './fleet-member.ts';
import { cpuMsOf, median, perSecond, timed } from './measure.ts';
import type { PictureInput, PictureProvider } from './picture-provider.ts';
import { watchRedis } from './redis-stats.ts';

const BATCH = 'bench';
type Round = { itemsPerSecond: number; cpuMsPerItem: { fleet: number; redis: number; provider: number } };

/** Everything that happens to an item, with a provider that answers at once: images of 200 KB into a folder. */
export const fullBench: Bench = {
  name: 'full',
  async run({ quick }) {
    const items = quick ? 300 : 1_500;
    const redis = await startRedis({ appendonly: true });
    const picture: PictureInput = { format: 'jpeg', bytes: 200_000, listed: 1 };
    const provider = await startMember('picture-provider', picture);
    const { url } = provider.ready as PictureProvider;
    const processes = quick ? [1, 2] : [1, 2, 4];
    const rounds = new Map<number, Round[]>(processes.map((count) => [count, []]));
    try {
      for (let round = 0; round < (quick ? 1 : 4); round++) {
        for (const count of processes.slice(0, round < 2 ? 3 : 1)) {
          rounds
            .get(count)
            ?.push(await runFleet({ redis, apiUrl: url, providerPid: provider.pid, items, processes: count }));
        }
      }
    } finally {
      await provider.stop();
      await redis.stop();
    }
    const of = (count: number, pick: (round: Round) => number) => median((rounds.get(count) ?? []).map(pick));
    const rates = processes.map((count) => of(count, ({ itemsPerSecond }) => itemsPerSecond));
    const [one = 0, ...more] = rates;
    const fleetMs = of(1, ({ cpuMsPerItem }) => cpuMsPerItem.fleet);
    const redisMs = of(1, ({ cpuMsPerItem }) => cpuMsPerItem.redis);
    const rows = [
      {
        what: 'full, 200 KB JPEG to a folder, one process',
        target: '≥ 100 items/s',
        measured: `${perSecond(one)}; ${fleetMs.toFixed(1)} ms of processor an item, Redis ${redisMs.toFixed(1)} ms`,
        met: one >= 100,
      },
      {
        what: 'full in 1, 2, 4 processes',
        target: 'no loss',
        measured: rates.map(perSecond).join(', '),
        met: more.every((rate) => rate >= one * 0.95),
      },
    ];
    return { rows, data: Object.fromEntries(rounds) };
  },
};

type Setup = {
  redis: { url: string; pid: number };
  apiUrl: string;
  providerPid: number;
  items: number;
  processes: number;
};

async function runFleet({ redis, apiUrl, providerPid, items, processes }: Setup): Promise<Round> {
  const watch = watchRedis(redis.url);
  await watch.reset();
  await watch.redis.lpush(keysOf(DEFAULT_PREFIX).durations('flux-kontext-pro'), ...Array<number>(10).fill(1));
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-bench-'));
  const config = {
    REDIS_URL: redis.url,
    FLUX_API_URL: apiUrl,
    FLUX_API_KEY: 'none',
    FLUX_RATE_LIMIT: '1000000/1s',
    FLUX_POLL_LIMIT: '1000000/1s',
    FLUX_MAX_TASKS: '1000000',
    ARCHIVE_URL: folder,
  };
  const batch = await enqueueBatch(config, BATCH, itemsOf(BATCH, items, 'jpeg'));
  const before = { redis: cpuMsOf(redis.pid), provider: cpuMsOf(providerPid) };
  const input: FleetInput = { config, instant: false };
  const members = await Promise.all(
    Array.from({ length: processes }, () => startMember<FleetResult>('fleet-member', input)),
  );
  const started = members.map(({ pid }) => cpuMsOf(pid));
  const { ms } = await timed(() => batch.ended());
  const cpuMsPerItem = {
    fleet: members.reduce((sum, { pid }, index) => sum + cpuMsOf(pid) - (started[index] ?? 0), 0) / items,
    redis: (cpuMsOf(redis.pid) - before.redis) / items,
    provider: (cpuMsOf(providerPid) - before.provider) / items,
  };
  await Promise.all(members.map((member) => member.stop()));
  await batch.close();
  watch.close();
  await rm(folder, { recursive: true, force: true });
  return { itemsPerSecond: (items * 1_000) / ms, cpuMsPerItem };
}
