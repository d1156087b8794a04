import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { startRedis, type TestRedis } from '../test/services/redis.ts';
import { itemAt } from './batch.ts';
import type { Bench } from './bench.ts';
import { CLI, watched } from './children.ts';
import { median, peakRssMb, perSecond, timed, times } from './measure.ts';
import { watchRedis } from './redis-stats.ts';

const CHUNK = 1_000;

const MANIFEST = `version: 1
batch: bench
defaults: { model: flux-kontext-pro, outputFormat: png, aspectRatio: "1:1", enableTranslation: false }
jobs:
  - id: product-{{ sku }}
    prompt: Product {{ sku }} on a table of oak, soft light from the left, the wall behind it out of focus
    rows: rows.csv
`;

type Enqueued = { rows: number; perSecond: number; peakRssMb: number; bytesPerItem: number };

/** A file of rows into the queues by `flux-batch enqueue`, against BullMQ's addBulk of the same jobs ready in memory. */
export const enqueueBench: Bench = {
  name: 'enqueue',
  async run({ quick }) {
    const redis = await startRedis({ appendonly: true });
    const [ours, bare]: [Enqueued[], number[]] = [[], []];
    let million: Enqueued | undefined;
    try {
      const rows = quick ? 20_000 : 100_000;
      for (let round = 0; round < (quick ? 1 : 3); round++) {
        bare.push(await addBulk(redis, rows));
        ours.push(await enqueueRows(redis, rows));
      }
      million = await enqueueRows(redis, quick ? rows : 1_000_000);
    } finally {
      await redis.stop();
    }
    const ratio = median(ours.map(({ perSecond: rate }, round) => rate / (bare[round] ?? Number.NaN)));
    const rows = [
      {
        what: 'enqueue, checked twice over, against addBulk alone',
        target: '≥ 0.5 ×',
        measured: `${times(ratio)} (${perSecond(median(ours.map(({ perSecond: rate }) => rate)))} of ${perSecond(median(bare))})`,
        met: ratio >= 0.5,
      },
      {
        what: `enqueue of ${million.rows.toLocaleString('en-US')} rows: memory`,
        target: '≤ 300 MB RSS',
        measured: `${Math.round(million.peakRssMb)} MB, ${Math.round(million.rows / million.perSecond)} s`,
        met: million.peakRssMb <= 300,
      },
      {
        what: `Redis for ${million.rows.toLocaleString('en-US')} waiting items`,
        target: '≤ 100 MB',
        measured: `${Math.round((million.bytesPerItem * million.rows) / 1e6)} MB`,
        met: million.bytesPerItem * million.rows <= 100e6,
      },
    ];
    return { rows, data: { ours, bare, million } };
  },
};

async function enqueueRows(redis: TestRedis, rows: number): Promise<Enqueued> {
  const watch = watchRedis(redis.url);
  await watch.reset();
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-bench-'));
  await writeFile(join(folder, 'jobs.yaml'), MANIFEST);
  await writeRows(join(folder, 'rows.csv'), rows);
  const before = await watch.usedMemory();
  const child = watched(
    spawn(process.execPath, [CLI, 'enqueue', 'jobs.yaml', '--yes'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, REDIS_URL: redis.url, ARCHIVE_URL: join(folder, 'archive'), FLUX_API_KEY: 'none' },
    }),
  );
  let peak = 0;
  const timer = setInterval(() => {
    if (child.exitCode === null) peak = Math.max(peak, peakRssMb(child.pid ?? 0));
  }, 100);
  const { ms, result } = await timed(() => once(child, 'exit'));
  clearInterval(timer);
  if (result[0] !== 0) throw new Error(`enqueue ended with ${result[0]}`);
  const bytesPerItem = ((await watch.usedMemory()) - before) / rows;
  watch.close();
  await rm(folder, { recursive: true, force: true });
  return { rows, perSecond: (rows * 1_000) / ms, peakRssMb: peak, bytesPerItem };
}

async function addBulk(redis: TestRedis, rows: number): Promise<number> {
  const watch = watchRedis(redis.url);
  await watch.reset();
  const queue = new Queue('bare', { connection: watch.redis, prefix: '{bare}' });
  const { ms } = await timed(async () => {
    for (let start = 0; start < rows; start += CHUNK) {
      await queue.addBulk(
        Array.from({ length: CHUNK }, (_, index) => ({
          name: 'item',
          data: { ...itemAt('bench', start + index), queuedAt: Date.now() },
          opts: { jobId: `bench/${start + index}`, attempts: 20, removeOnComplete: true, removeOnFail: true },
        })),
      );
    }
  });
  await queue.close();
  watch.close();
  return (rows * 1_000) / ms;
}

async function writeRows(path: string, rows: number): Promise<void> {
  const file = createWriteStream(path);
  file.write('sku\n');
  for (let row = 0; row < rows; row++) {
    if (!file.write(`sku-${row}\n`)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
}
