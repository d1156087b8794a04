import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { openClosers } from '../../src/wiring/closers.ts';
import { startRedis, type TestRedis } from '../services/redis.ts';
import { keepsPromise } from './figures.ts';
import { startLocalFleet } from './local-fleet.ts';
import { openStand, type Stand, type StandOptions } from './stand.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/**
 * An hour's outage of one party, compressed: it lasts many times longer than what gave items up before. Six attempts of a job are used
 * up within 16 s, the time of a task is 5 s, an original URL lives for 4 s.
 */
const OUTAGE_MS = 25_000;
const COMPRESSED = {
  FLUX_POLL_GIVE_UP: '5s',
  FLUX_ORIGIN_TTL: '4s',
  FLUX_RATE_LIMIT: '6/1s',
  FETCH_ALLOW: '127.0.0.1',
};
const ITEMS = 24;
/** Whose answer the outage may have swallowed: nobody can know what became of them. */
const MOST_IN_FLIGHT = 8;

let redis: TestRedis;
let databases = 0;
beforeAll(async () => {
  const { accessKeyId, secretAccessKey } = inject('s3');
  process.env.AWS_ACCESS_KEY_ID = accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = secretAccessKey;
  redis = await startRedis();
});
afterAll(() => redis.stop());

type Party = {
  /** What stands between it and the workers. */
  proxy(stand: Stand): Promise<TcpProxy>;
  options?: Partial<StandOptions>;
  /** How workers reach it. */
  environment(proxy: TcpProxy): Record<string, string>;
};

const PARTIES: Record<string, Party> = {
  'the API': {
    proxy: (stand) => startTcpProxy(Number(new URL(stand.simulator.url).port)),
    environment: ({ port }) => ({ FLUX_API_URL: `http://127.0.0.1:${port}` }),
  },
  Redis: {
    proxy: (stand) => startTcpProxy(Number(new URL(stand.environment.REDIS_URL ?? '').port)),
    environment: ({ port }) => ({ REDIS_URL: `redis://127.0.0.1:${port}/${databases}` }),
  },
  S3: {
    proxy: () => startTcpProxy(Number(new URL(inject('s3').endpoint).port)),
    environment: ({ port }) => ({ S3_ENDPOINT: `http://127.0.0.1:${port}` }),
  },
};

test.for(Object.entries(PARTIES))(
  "an hour's outage of %s ends with every item where it should be",
  async ([name, party]) => {
    databases += 1;
    const closers = openClosers();
    const { endpoint } = inject('s3');
    const stand = await openStand({
      items: ITEMS,
      redisUrl: `${redis.url}/${databases}`,
      archive: { url: `s3://faults-outages/${randomUUID()}`, endpoint, directEndpoint: endpoint },
      simulator: { rate: { max: 6, windowMs: 1_000 }, medianMs: 800, originTtlMs: 4_000 },
      environment: COMPRESSED,
    });
    closers.push(() => stand.close());
    const archive = await stand.openDirectly();
    closers.push(() => archive.close());
    await archive.prepare();
    const proxy = await party.proxy(stand);
    closers.push(() => proxy.close());
    const reached = party.environment(proxy);
    await stand.enqueue(reached);
    const fleet = await startLocalFleet({ ...stand.environment, ...reached });
    closers.push(() => fleet.stop());
    try {
      await stand.underWay(ITEMS / 3);
      proxy.set({ kind: 'refused' });
      await sleep(OUTAGE_MS);
      const during = await stand.figures();
      expect({ failed: during.failed, remarks: during.held > MOST_IN_FLIGHT ? during.remarks : [] }).toEqual({
        failed: 0,
        remarks: [],
      });
      proxy.set({ kind: 'fair' });
      await stand.ended();
      const figures = await stand.figures();
      keepsPromise(`${name} away for an hour`, figures);
      expect(figures.failed).toBe(0);
      expect(figures.held).toBeLessThanOrEqual(MOST_IN_FLIGHT);
      expect(figures.archived + figures.held).toBe(ITEMS);
    } finally {
      await closers.closeAll();
    }
  },
);
