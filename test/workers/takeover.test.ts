import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Queue } from 'bullmq';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { connectRedis } from '../../src/redis/connection.ts';
import { stageWorker } from '../../workers/stage-worker.ts';
import { startRedis, type TestRedis } from '../services/redis.ts';

const PREFIX = '{takeover}';
const JOBS = 20;
const OUTAGE_MS = 10_000;

async function redisWithJobs(options: { appendonly?: boolean } = {}): Promise<TestRedis> {
  const redis = await startRedis(options);
  onTestFinished(() => redis.stop());
  const connection = await connectRedis(redis.url, { patient: false, name: 'producer' });
  const queue = new Queue('archive', { connection, prefix: PREFIX });
  const options_ = { attempts: 5, removeOnComplete: true };
  await queue.addBulk(Array.from({ length: JOBS }, (_, n) => ({ name: 'item', data: { n }, opts: options_ })));
  await queue.close();
  connection.disconnect();
  return redis;
}

/** A worker that counts how often each job is run, each of which waits for `goOn`. */
async function countingWorker(url: string, goOn: Promise<void>) {
  const redis = await connectRedis(url, { patient: true, name: 'worker' });
  const runs = new Map<number, number>();
  const done = new Set<number>();
  const worker = stageWorker({
    stage: 'archive',
    schema: z.object({ n: z.number() }),
    concurrency: JOBS,
    async run({ n }) {
      runs.set(n, (runs.get(n) ?? 0) + 1);
      await goOn;
      done.add(n);
      return { kind: 'done' };
    },
    giveUp: async () => {},
    onTrouble: () => {},
    count: () => {},
    redis,
    clock: Date,
    prefix: PREFIX,
    signal: new AbortController().signal,
  });
  onTestFinished(async () => {
    // Closing one that is closed does nothing, also when its Redis is gone.
    await worker.close();
    redis.disconnect();
  });
  return { runs, done, worker };
}

/** Takes all jobs into its hands and never ends one. */
const GREEDY = `
const [, url] = process.argv;
const { connectRedis } = await import(${JSON.stringify(new URL('../../dist/src/redis/connection.js', import.meta.url).href)});
const { stageWorker } = await import(${JSON.stringify(new URL('../../dist/workers/stage-worker.js', import.meta.url).href)});
const { z } = await import('zod');
let taken = 0;
stageWorker({
  stage: 'archive', schema: z.object({ n: z.number() }), concurrency: ${JOBS}, prefix: '${PREFIX}',
  run: () => { taken += 1; if (taken === ${JOBS}) console.log('taken'); return new Promise(() => {}); },
  giveUp: async () => {}, onTrouble: () => {}, count: () => {},
  redis: await connectRedis(url, { patient: true, name: 'greedy' }), signal: new AbortController().signal,
});
`;

describe('the jobs of a worker', () => {
  it('that is killed are taken over by another, within 15 s by the times that are set', async ({ annotate }) => {
    const redis = await redisWithJobs();
    const child = spawn(process.execPath, ['--input-type=module', '-e', GREEDY, redis.url], {
      cwd: new URL('../..', import.meta.url),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    const { runs } = await countingWorker(redis.url, Promise.resolve());
    expect(await longestUntilTakenOver(redis.url)).toBeLessThanOrEqual(15_000);
    const killedAt = performance.now();
    child.kill('SIGKILL');
    await vi.waitFor(() => expect(runs.size).toBe(JOBS), { interval: 20 });
    const tookMs = performance.now() - killedAt;
    await annotate(`all ${JOBS} jobs taken over after ${Math.round(tookMs)} ms`);
  });

  it('are not run again when Redis does not answer for 10 s', async () => {
    const redis = await redisWithJobs();
    let goOn = () => {};
    const { runs, done } = await countingWorker(redis.url, new Promise((resolve) => (goOn = resolve)));
    await vi.waitFor(() => expect(runs.size).toBe(JOBS));
    process.kill(redis.pid, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS));
    process.kill(redis.pid, 'SIGCONT');
    await severalChecks(redis.url);
    goOn();
    await vi.waitFor(() => expect(done.size).toBe(JOBS));
    expect([...runs.values()].every((count) => count === 1)).toBe(true);
  });

  it('are not run again when Redis is killed and comes back after 10 s', async () => {
    const redis = await redisWithJobs({ appendonly: true });
    let goOn = () => {};
    const { runs, done, worker } = await countingWorker(redis.url, new Promise((resolve) => (goOn = resolve)));
    await vi.waitFor(() => expect(runs.size).toBe(JOBS));
    await redis.kill();
    await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS));
    const again = await startRedis({ appendonly: true, dir: redis.dir, port: redis.port });
    await severalChecks(redis.url);
    goOn();
    await vi.waitFor(() => expect(done.size).toBe(JOBS));
    expect([...runs.values()].every((count) => count === 1)).toBe(true);
    await worker.close();
    await again.stop();
  });
});

/** What is left of the locks just after their renewal, and two checks: the first marks what has no lock, the second takes it over. */
async function longestUntilTakenOver(url: string): Promise<number> {
  const redis = await connectRedis(url, { patient: false, name: 'looking' });
  const locks = await redis.keys(`${PREFIX}:archive:*:lock`);
  expect(locks).toHaveLength(JOBS);
  const lockMs = Math.max(...(await Promise.all(locks.map((lock) => redis.pttl(lock)))));
  const checkMs = await vi.waitFor(async () => {
    const leftMs = await redis.pttl(`${PREFIX}:archive:stalled-check`);
    expect(leftMs).toBeGreaterThan(0);
    return leftMs;
  });
  redis.disconnect();
  return lockMs + 2 * checkMs;
}

/** Waits until stalled jobs have been looked for thrice: the first look marks, the second takes over. */
async function severalChecks(url: string): Promise<void> {
  const redis = await connectRedis(url, { patient: true, name: 'looking' });
  const seen = new Set<string>();
  await vi.waitFor(
    async () => {
      seen.add((await redis.get(`${PREFIX}:archive:stalled-check`)) ?? '');
      expect(seen.size).toBeGreaterThan(3);
    },
    { interval: 50 },
  );
  redis.disconnect();
}
