import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startRedis, type TestRedis } from '../services/redis.ts';
import { startProcess } from './crew.ts';
import { keepsPromise } from './figures.ts';
import { openStand, type StandOptions } from './stand.ts';

const run = promisify(execFile);
const SKEWED = fileURLToPath(new URL('skewed-clock.mjs', import.meta.url));
const QUEUES = 4;
const TEN_MINUTES_MS = 600_000;

let redis: TestRedis;
let databases = 0;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

async function openOne(options: Partial<StandOptions> = {}) {
  databases += 1;
  return openStand({ items: 24, redisUrl: `${redis.url}/${databases}`, ...options });
}

test.concurrent('two workers, the clock of one ten minutes fast, of one ten minutes slow', async () => {
  const stand = await openOne();
  await stand.enqueue();
  const workers = [TEN_MINUTES_MS, -TEN_MINUTES_MS].map((skewMs) =>
    startProcess(['worker'], {
      environment: { ...stand.environment, CLOCK_SKEW_MS: String(skewMs) },
      cwd: stand.folder,
      node: ['--import', SKEWED],
    }),
  );
  await stand.ended();
  await Promise.all(workers.map((worker) => worker.kill()));
  const figures = await stand.figures();
  keepsPromise('clocks ten minutes off', figures);
  expect(figures.archived).toBe(24);
  await stand.close();
});

test.concurrent('a worker that is stopped until its locks are lost, and then goes on', async () => {
  const stand = await openOne({
    // Answers take a while, so that it is stopped in the middle of submits.
    simulator: { latencyMs: 1_000, rate: { max: 4, windowMs: 1_000 } },
    environment: { FLUX_RATE_LIMIT: '4/1s' },
  });
  await stand.enqueue();
  const [sleeper, other] = [1, 2].map(() =>
    startProcess(['worker'], { environment: stand.environment, cwd: stand.folder }),
  );
  try {
    await stand.underWay(5);
    sleeper?.child.kill('SIGSTOP');
    await untilLocksAreLost(stand.environment.REDIS_URL);
    sleeper?.child.kill('SIGCONT');
    await stand.ended();
  } finally {
    await Promise.all([sleeper?.kill(), other?.kill()]);
  }
  const figures = await stand.figures();
  keepsPromise('locks lost, two workers on one item', figures);
  expect(figures.archived + figures.held).toBe(24);
  await stand.close();
});

/** Until none of the locks on jobs that are held now is, and their jobs have been looked for and taken over. */
async function untilLocksAreLost(redisUrl = ''): Promise<void> {
  const client = new Redis(redisUrl);
  const held = async (): Promise<(string | null)[]> => {
    const locks = await client.keys('*:lock');
    return locks.length === 0 ? [] : client.mget(locks);
  };
  const before = await held();
  expect(before).not.toEqual([]);
  await vi.waitFor(async () => expect((await held()).filter((token) => before.includes(token))).toEqual([]));
  const checks = new Set<string>();
  await vi.waitFor(async () => {
    for (const check of await client.keys('*:stalled-check')) checks.add(`${check} ${await client.get(check)}`);
    expect(checks.size).toBeGreaterThan(QUEUES * 3);
  });
  client.disconnect();
}

test.concurrent('a disk that fills up stops `run`, which goes on when there is space', async (context) => {
  const stand = await openOne({ simulator: { imageBytes: 40_000 } });
  const disk = join(stand.folder, 'disk');
  await mkdir(disk);
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]).then(
    () => true,
    () => false,
  );
  if (!mounted) {
    await stand.close();
    context.skip('a small disk cannot be mounted here');
  }
  try {
    const ballast = join(disk, 'ballast');
    await writeFile(ballast, Buffer.alloc(1_400_000));
    const onDisk = { ...stand.environment, ARCHIVE_URL: join(disk, 'archive') };
    const start = () =>
      startProcess(['run', stand.manifestFile, '--yes'], { environment: onDisk, cwd: stand.folder }).ended;
    const stopped = await start();
    expect(stopped, stopped.stderr).toMatchObject({ status: 3 });
    expect(stopped.stderr).toMatch(/^error: Cannot write to the archive folder .*: no space is left on its disk$/m);
    expect(stopped.stderr).not.toMatch(/^ +at /m);
    await rm(ballast);
    const again = await start();
    const figures = await stand.figures(onDisk.ARCHIVE_URL);
    keepsPromise('disk full, freed, run again', figures);
    expect(again.status, again.stderr).toBe(figures.held > 0 ? 1 : 0);
  } finally {
    await run('umount', ['--lazy', disk]);
    await stand.close();
  }
});
