import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { answerError, type Exchange, startProxy } from '../archive/s3-proxy.ts';
import { startRedis, type TestRedis } from '../services/redis.ts';
import { startProcess } from './crew.ts';
import { keepsPromise } from './figures.ts';
import { inLong, isLong } from './length.ts';
import { startLocalFleet } from './local-fleet.ts';
import { openStand, type Stand } from './stand.ts';
import { startTcpProxy, type Weather } from './tcp-proxy.ts';

const ITEMS = 24;
let redis: TestRedis;
let databases = 0;

beforeAll(async () => {
  const { accessKeyId, secretAccessKey } = inject('s3');
  process.env.AWS_ACCESS_KEY_ID = accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = secretAccessKey;
  redis = await startRedis();
});
afterAll(() => redis.stop());

async function standBehind(endpoint: string): Promise<Stand> {
  databases += 1;
  const stand = await openStand({
    items: ITEMS,
    redisUrl: `${redis.url}/${databases}`,
    archive: { url: `s3://faults-s3/${randomUUID()}`, endpoint, directEndpoint: inject('s3').endpoint },
    simulator: { rate: { max: 8, windowMs: 1_000 }, medianMs: 800 },
    environment: { FLUX_RATE_LIMIT: '8/1s' },
  });
  const archive = await stand.openDirectly();
  await archive.prepare();
  await archive.close();
  return stand;
}

const WEATHER: { weather: Weather; name: string }[] = [
  { weather: { kind: 'down' }, name: 'down for 6 s' },
  { weather: { kind: 'silent' }, name: 'silent for 6 s' },
  { weather: { kind: 'reset' }, name: 'resetting for 6 s' },
  { weather: { kind: 'slow', delayMs: 400 }, name: 'slow for 6 s' },
];

test.concurrent.each(isLong ? WEATHER : WEATHER.slice(0, 1))('S3 $name', async ({ weather, name }) => {
  const proxy = await startTcpProxy(Number(new URL(inject('s3').endpoint).port));
  const stand = await standBehind(`http://127.0.0.1:${proxy.port}`);
  await stand.enqueue();
  const fleet = await startLocalFleet(stand.environment);
  await stand.underWay(8);
  proxy.set(weather);
  await sleep(6_000);
  proxy.set({ kind: 'fair' });
  await stand.ended();
  await fleet.stop();
  keepsPromise(`S3 ${name}`, await stand.figures());
  await stand.close();
  await proxy.close();
});

describe('answers of S3', () => {
  inLong('503 for every third request', async () => {
    let requests = 0;
    const endpoint = await startProxy(async ({ response, forward }) => {
      requests += 1;
      if (requests % 3 === 0) answerError(response, 503, 'SlowDown');
      else await forward();
    });
    const stand = await standBehind(endpoint);
    await stand.enqueue();
    const fleet = await startLocalFleet(stand.environment);
    await stand.ended();
    await fleet.stop();
    const figures = await stand.figures();
    keepsPromise('S3 503 for every third', figures);
    expect(figures.archived + figures.held).toBe(ITEMS);
    await stand.close();
  });

  const REFUSALS = [
    { status: 403, code: 'AccessDenied', says: 'do not have the right' },
    { status: 507, code: 'InsufficientStorage', says: 'no space left' },
  ];

  test.each(isLong ? REFUSALS : REFUSALS.slice(0, 1))(
    '$code in the middle stops `run`, which goes on when it is mended',
    async (fault) => {
      let isBroken = false;
      const refuse = ({ request, response, forward }: Exchange) =>
        isBroken && request.method === 'PUT'
          ? Promise.resolve(answerError(response, fault.status, fault.code))
          : forward();
      const stand = await standBehind(await startProxy(refuse));
      const run = () => startProcess(['run', stand.manifestFile, '--yes'], { ...stand, cwd: stand.folder });
      const first = run();
      await stand.underWay(9);
      isBroken = true;
      const stopped = await first.ended;
      expect(stopped, stopped.stderr).toMatchObject({ status: 3 });
      expect(stopped.stderr).toContain(fault.says);
      isBroken = false;
      const second = await run().ended;
      const figures = await stand.figures();
      keepsPromise(`S3 ${fault.code}, mended, run again`, figures);
      expect(second.status, second.stderr).toBe(figures.held > 0 ? 1 : 0);
      await stand.close();
    },
  );
});
