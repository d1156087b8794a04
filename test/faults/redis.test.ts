import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { openClosers } from '../../src/wiring/closers.ts';
import { startRedis } from '../services/redis.ts';
import { keepsPromise } from './figures.ts';
import { isLong } from './length.ts';
import { startLocalFleet } from './local-fleet.ts';
import { openStand, type StandOptions } from './stand.ts';
import { startTcpProxy, type Weather } from './tcp-proxy.ts';

const ITEMS = 30;
/** Slow enough that the trouble comes in the middle of submitting, polling and archiving. */
const PACE = { rate: { max: 8, windowMs: 1_000 }, medianMs: 800 };

async function standOn(redisUrl: string, options: Partial<StandOptions> = {}) {
  const environment = { FLUX_RATE_LIMIT: '8/1s' };
  return openStand({ items: ITEMS, redisUrl, simulator: PACE, environment, ...options });
}

test.concurrent('killed and started again, twice, with its append-only file', async () => {
  const closers = openClosers();
  const dir = await mkdtemp(join(tmpdir(), 'flux-batch-aof-'));
  closers.push(() => rm(dir, { recursive: true, force: true, maxRetries: 10 }));
  let redis = await startRedis({ appendonly: true, dir });
  closers.push(() => redis.stop());
  const stand = await standOn(redis.url);
  closers.push(() => stand.close());
  await stand.enqueue();
  const fleet = await startLocalFleet(stand.environment);
  closers.push(() => fleet.stop());
  for (const tasks of [8, 16]) {
    await stand.underWay(tasks);
    await redis.kill();
    // So long it is away.
    await sleep(1_000);
    redis = await startRedis({ appendonly: true, dir, port: redis.port });
  }
  await stand.ended();
  keepsPromise('Redis killed twice', await stand.figures());
  await closers.closeAll();
});

test.concurrent('flushed under a running fleet: the manifest is enqueued again', async () => {
  const closers = openClosers();
  const redis = await startRedis();
  closers.push(() => redis.stop());
  const stand = await standOn(redis.url);
  closers.push(() => stand.close());
  await stand.enqueue();
  const fleet = await startLocalFleet(stand.environment);
  closers.push(() => fleet.stop());
  const client = new Redis(redis.url);
  closers.push(() => client.disconnect());
  for (const tasks of [8, 16]) {
    await stand.underWay(tasks);
    await client.flushall();
    await stand.enqueue();
  }
  await stand.ended();
  keepsPromise('Redis flushed twice', await stand.figures());
  await closers.closeAll();
});

const WEATHER: { weather: Weather; name: string }[] = [
  { weather: { kind: 'silent' }, name: 'is silent for 12 s' },
  { weather: { kind: 'down' }, name: 'refuses for 12 s' },
  { weather: { kind: 'garbage' }, name: 'answers noise for 3 s' },
  { weather: { kind: 'slow', delayMs: 150 }, name: 'is slow by 0.3 s for 8 s' },
];

test.concurrent.each(isLong ? WEATHER : WEATHER.slice(0, 1))('that $name', async ({ weather, name }) => {
  const closers = openClosers();
  const redis = await startRedis();
  closers.push(() => redis.stop());
  const proxy = await startTcpProxy(redis.port);
  closers.push(() => proxy.close());
  const stand = await standOn(redis.url);
  closers.push(() => stand.close());
  await stand.enqueue();
  const fleet = await startLocalFleet({ ...stand.environment, REDIS_URL: `redis://127.0.0.1:${proxy.port}` });
  closers.push(() => fleet.stop());
  await stand.underWay(8);
  proxy.set(weather);
  // Longer than a job's lock, where the name says so.
  await sleep(Number(/(\d+) s$/.exec(name)?.[1]) * 1_000);
  proxy.set({ kind: 'fair' });
  await stand.ended();
  keepsPromise(`Redis ${name}`, await stand.figures());
  await closers.closeAll();
});

test.concurrent('failed over to a replica: the manifest is enqueued again', async () => {
  const closers = openClosers();
  const master = await startRedis();
  closers.push(() => master.stop());
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(master.port)] });
  closers.push(() => replica.stop());
  const proxy = await startTcpProxy(master.port);
  closers.push(() => proxy.close());
  const stand = await standOn(`redis://127.0.0.1:${proxy.port}`);
  closers.push(() => stand.close());
  await stand.enqueue();
  const fleet = await startLocalFleet(stand.environment);
  closers.push(() => fleet.stop());
  await stand.underWay(12);
  await master.kill();
  const client = new Redis(replica.url);
  closers.push(() => client.disconnect());
  await client.replicaof('NO', 'ONE');
  proxy.pointTo(replica.port);
  // What the master had not sent on is gone; the archive knows.
  await stand.enqueue();
  await stand.ended();
  const figures = await stand.figures();
  keepsPromise('Redis failed over', figures);
  expect(figures.archived + figures.held).toBe(ITEMS);
  await closers.closeAll();
});
