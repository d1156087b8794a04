import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { expect, type TestContext, test } from 'vitest';
import { DEFAULT_PREFIX } from '../../src/redis/keys.ts';
import { startTcpProxy } from '../faults/tcp-proxy.ts';
import { startRedis } from '../services/redis.ts';
import { countBy, recordsOf } from './archived.ts';
import { until } from './cli.ts';
import { accepted, expectOneTaskEach } from './ledger.ts';
import { openPlace, promptsFor } from './place.ts';

const ITEMS = 16;
const PACE = { pace: { max: 4, windowMs: 1_000 }, simulator: { medianMs: 500 } };

type Context = Pick<TestContext, 'onTestFinished'>;

async function proxyTo(context: Context, url: string) {
  const proxy = await startTcpProxy(Number(new URL(url).port));
  context.onTestFinished(() => proxy.close());
  return proxy;
}

/** A run of which a part is submitted when the API goes out of reach. */
async function runWithoutApi(context: Context, batch: string, args: readonly string[] = []) {
  const place = await openPlace(context, PACE);
  const proxy = await proxyTo(context, place.simulator.url);
  const api = { FLUX_API_URL: `http://127.0.0.1:${proxy.port}`, FETCH_ALLOW: '127.0.0.1', FLUX_POLL_GIVE_UP: '5s' };
  const manifest = await place.manifest(batch, promptsFor(ITEMS));
  const running = place.start(['run', manifest, ...args], api);
  await until('some are submitted', () => accepted(place) >= 5, { seen: running.stderr });
  proxy.set({ kind: 'refused' });
  return { place, proxy, running, again: () => place.run(['run', manifest], api) };
}

test.concurrent('run waits for an API out of reach, says so, and goes on by itself when it is back', async (context) => {
  const { place, proxy, running } = await runWithoutApi(context, 'waits');
  await until(
    'it says what it waits for',
    () => /submitting is stopped \(unreachable\).*since \d\d:\d\d:\d\d, \d/.test(running.stderr()),
    {
      seen: running.stderr,
    },
  );
  const status = await place.run(['status']);
  expect(status.stdout).toContain('submitting is stopped (unreachable)');
  expect(status.stdout).toContain('nothing is lost meanwhile');
  proxy.set({ kind: 'fair' });
  const { code, stderr } = await running.exit();
  const counts = countBy(await recordsOf(place, 'waits'));
  expect(counts.failed ?? 0, stderr).toBe(0);
  expect((counts.archived ?? 0) + (counts.held ?? 0)).toBe(ITEMS);
  // An answer that the outage swallowed is nobody's to know.
  expect(code, stderr).toBe(counts.held === undefined ? 0 : 1);
  expect(place.simulator.ledger().repeatedRequests).toEqual([]);
});

test.concurrent('--wait-at-most ends a run that stands still, with 3, and the same command goes on', async (context) => {
  const { place, proxy, running, again } = await runWithoutApi(context, 'bounded', ['--wait-at-most', '4s']);
  const { code, stderr } = await running.exit();
  expect(code, stderr).toBe(3);
  expect(stderr).toMatch(/^stopped: waited for .*--wait-at-most.*ECONNREFUSED/m);
  expect(stderr).toContain('run the same command again to go on');
  proxy.set({ kind: 'fair' });
  await again();
  const counts = countBy(await recordsOf(place, 'bounded'));
  expect((counts.archived ?? 0) + (counts.held ?? 0)).toBe(ITEMS);
  expect(counts).not.toHaveProperty('failed');
});

test.concurrent('run says that it waits for Redis, and Ctrl-C ends it within its drain time', async (context) => {
  const place = await openPlace(context, PACE);
  const redis = await startRedis();
  context.onTestFinished(() => redis.stop());
  const proxy = await proxyTo(context, redis.url);
  const env = { REDIS_URL: `redis://127.0.0.1:${proxy.port}` };
  const manifest = await place.manifest('frozen', promptsFor(ITEMS));
  const running = place.start(['run', manifest, '--drain-timeout', '3s'], env);
  await until('some are submitted', () => accepted(place) >= 5, { seen: running.stderr });
  proxy.set({ kind: 'silent' });
  await until('it says what it waits for', () => running.stderr().includes('waiting for Redis: it does not answer'), {
    seen: running.stderr,
  });
  running.kill('SIGINT');
  const stopped = await running.exit();
  expect(stopped.code, stopped.stderr).toBe(3);

  proxy.set({ kind: 'fair' });
  const { stderr } = await place.run(['run', manifest], env);
  const counts = countBy(await recordsOf(place, 'frozen'));
  expect((counts.archived ?? 0) + (counts.held ?? 0), stderr).toBe(ITEMS);
  expect(counts).not.toHaveProperty('failed');
});

test.concurrent('run gives items their jobs again that Redis has lost', async (context) => {
  const place = await openPlace(context, { pace: { max: 2, windowMs: 1_000 } });
  const redis = await startRedis();
  context.onTestFinished(() => redis.stop());
  const manifest = await place.manifest('orphans', promptsFor(20));
  const running = place.start(['run', manifest], { REDIS_URL: redis.url });
  await until('one is submitted', () => accepted(place) >= 1, { seen: running.stderr });
  const connection = new Redis(redis.url);
  const queue = new Queue('submit', { connection, prefix: DEFAULT_PREFIX });
  await queue.drain();
  expect(await queue.getJobCountByTypes('prioritized', 'waiting')).toBe(0);
  await queue.close();
  connection.disconnect();
  const { code, stderr } = await running.exit();
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('Redis has lost jobs of the batch; enqueueing it again');
  expectOneTaskEach(place, 20);
});

test.concurrent('a quiet run says why a paused batch stands still, and --wait-at-most ends it with 3', async (context) => {
  const place = await openPlace(context);
  const redis = await startRedis();
  context.onTestFinished(() => redis.stop());
  const env = { REDIS_URL: redis.url };
  const manifest = await place.manifest('rests', promptsFor(3));
  await place.run(['enqueue', manifest, '--yes'], env);
  await place.run(['pause', 'rests'], env);
  const { code, stderr } = await place.run(['run', manifest, '--yes', '--quiet', '--wait-at-most', '4s'], env);
  expect(code, stderr).toBe(3);
  expect(stderr.match(/^stands still: .*/gm)).toEqual([
    expect.stringMatching(/^stands still: rests is paused \(since .*\): flux-batch resume rests goes on$/),
  ]);
  expect(stderr).toMatch(
    /^stopped: waited for 4.*s \(--wait-at-most\): rests is paused: flux-batch resume rests goes on$/m,
  );
  expect(accepted(place)).toBe(0);
});
