import { Redis } from 'ioredis';
import { expect, onTestFinished, test, vi } from 'vitest';
import { pictures, startCrew } from '../batch/crew.ts';

/** How often each command was called since `CONFIG RESETSTAT`, those of scripts included. */
async function callsOf(redis: Redis): Promise<(command: string) => number> {
  const stats = await redis.info('commandstats');
  return (command) => Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(stats)?.[1] ?? 0);
}

function asAdmin(url: string): Redis {
  const redis = new Redis(url);
  onTestFinished(() => redis.disconnect());
  return redis;
}

/** Long enough for several rounds of whatever comes again and again. */
const WATCHED_MS = 12_000;

/** The calls of a while, and the seconds that it took by the server's clock. */
async function watch(admin: Redis): Promise<{ calls: (command: string) => number; seconds: number }> {
  const secondsNow = async () => Number((await admin.time())[0]);
  await admin.config('RESETSTAT');
  const begun = await secondsNow();
  await new Promise((resolve) => setTimeout(resolve, WATCHED_MS));
  const calls = await callsOf(admin);
  return { calls, seconds: (await secondsNow()) - begun };
}

test('while submitting is stopped, workers cost Redis few scripts however many items wait', async () => {
  const crew = await startCrew();
  const admin = asAdmin(crew.redis.url);
  await crew.connections.state.tripBreaker({ refusal: 'not-found', message: 'Nobody knows this address' });
  await crew.enqueue('stopped', pictures(3_000));
  await Promise.all([crew.work(), crew.work()]);
  // All that came at once has looked.
  await vi.waitFor(async () => expect(await crew.connections.queues.byStage.submit.getActiveCount()).toBe(0));
  const { calls, seconds } = await watch(admin);
  expect((calls('evalsha') + calls('eval')) / seconds).toBeLessThan(100);
  expect(calls('evalsha')).toBeGreaterThan(0);
  await crew.connections.state.resetBreaker();
  await crew.until('stopped', ({ items }) => items.archived > 20);
});

test('ten thousand batches that have ended cost an idle worker nearly nothing, and all is seen of one that has not', async () => {
  const crew = await startCrew();
  const admin = asAdmin(crew.redis.url);
  const { keys } = crew.connections;
  const ended = Array.from({ length: 10_000 }, (_, index) => `ended-${index}`);
  for (let from = 0; from < ended.length; from += 1_000) {
    const page = admin.pipeline();
    for (const batch of ended.slice(from, from + 1_000)) {
      page.zadd(keys.batches, Date.now(), batch);
      page.hset(keys.batch(batch), { created: 1, sealed: 1, version: 3, finishedVersion: 3, 'n:archived': 1 });
    }
    await page.exec();
  }
  // As a version without the set of live batches leaves a batch whose finish job was lost.
  await crew.enqueue('open', pictures(1));
  await admin.del(keys.live);
  await crew.work();
  await crew.ended('open');
  await vi.waitFor(async () => {
    expect(await admin.exists(keys.liveLook)).toBe(1);
    expect(await admin.scard(keys.live)).toBe(0);
  });
  const { calls, seconds } = await watch(admin);
  expect(calls('hgetall') / seconds).toBeLessThan(10);
});
