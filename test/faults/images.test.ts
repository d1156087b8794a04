import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Fault, IMAGE_FAULTS } from '../../src/simulator/faults.ts';
import { startRedis, type TestRedis } from '../services/redis.ts';
import { keepsPromise } from './figures.ts';
import { startLocalFleet } from './local-fleet.ts';
import { openStand, type StandOptions } from './stand.ts';

let redis: TestRedis;
let databases = 0;
beforeAll(async () => {
  redis = await startRedis({ args: ['--databases', '100'] });
});
afterAll(() => redis.stop());

const ITEMS = 6;

async function run(options: Partial<StandOptions>) {
  databases += 1;
  const batch = await openStand({ items: ITEMS, redisUrl: `${redis.url}/${databases}`, ...options });
  try {
    await batch.enqueue();
    const fleet = await startLocalFleet(batch.environment);
    try {
      await batch.ended();
    } finally {
      await fleet.stop();
    }
    return { figures: await batch.figures(), ledger: batch.simulator.ledger() };
  } finally {
    await batch.close();
  }
}

// The first to start, for it is the longest.
test.concurrent('an original that dies while it is downloaded: the stored copy is taken', async () => {
  const faults: Fault[] = [{ name: 'image-stall', times: 3 }];
  const { figures } = await run({ faults, simulator: { originTtlMs: 1_000, slowAnswerMs: 30_000 } });
  keepsPromise('expires in the middle', figures);
  expect(figures.archived).toBe(ITEMS);
});

test.concurrent.each(IMAGE_FAULTS)('%s: every image is whole in the end', async (name) => {
  const faults: Fault[] = [{ name, times: 4 }];
  const { figures, ledger } = await run({ faults, simulator: { slowAnswerMs: 1_000 } });
  keepsPromise(name, figures);
  expect(ledger.faults[name]).toBe(4);
  expect(figures.archived).toBe(ITEMS);
});

test.concurrent('an original that is gone before its time: the stored copy is taken', async () => {
  const { figures, ledger } = await run({ faults: [{ name: 'origin-dead', share: 1 }] });
  keepsPromise('origin-dead', figures);
  expect(figures.archived).toBe(ITEMS);
  expect(ledger.downloads.stored).toBe(ITEMS);
});

test.concurrent('an image that is gone everywhere is called expired, after it was asked for more than once', async () => {
  const faults: Fault[] = [
    { name: 'origin-dead', share: 1 },
    { name: 'stored-dead', share: 1 },
  ];
  const { figures, ledger } = await run({ faults });
  keepsPromise('gone everywhere', figures);
  expect(figures.failed).toBe(ITEMS);
  expect(ledger.downloads.expired).toBeGreaterThanOrEqual(3 * ITEMS);
});
