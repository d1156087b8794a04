import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Fault } from '../../src/simulator/faults.ts';
import { startRedis, type TestRedis } from '../services/redis.ts';
import { keepsPromise } from './figures.ts';
import type { Figures } from './judge.ts';
import { startLocalFleet } from './local-fleet.ts';
import { openStand, type Stand, type StandOptions } from './stand.ts';

let redis: TestRedis;
let databases = 0;
beforeAll(async () => {
  redis = await startRedis({ args: ['--databases', '100'] });
});
afterAll(() => redis.stop());

const ITEMS = 6;

async function stand(options: Partial<StandOptions>): Promise<Stand> {
  databases += 1;
  return openStand({ items: ITEMS, redisUrl: `${redis.url}/${databases}`, ...options });
}

/** One batch under some faults, from its manifest to its end. */
async function run(options: Partial<StandOptions>): Promise<Figures> {
  const batch = await stand(options);
  try {
    await batch.enqueue();
    const fleet = await startLocalFleet(batch.environment);
    try {
      await batch.ended({ resetBreaker: true });
    } finally {
      await fleet.stop();
    }
    return await batch.figures();
  } finally {
    await batch.close();
  }
}

describe('answers that are known to refuse: every image is archived in the end, each paid for once', () => {
  test.concurrent.each([
    ['429, no Retry-After', { simulator: { retryAfter: 'none' } }],
    ['429, Retry-After in seconds', { simulator: { retryAfter: 'seconds' } }],
    ['429, Retry-After as a date', { simulator: { retryAfter: 'date' } }],
    ['429, Retry-After in the past', { simulator: { retryAfter: 'past' } }],
    ['429, Retry-After malformed', { simulator: { retryAfter: 'malformed' } }],
  ] as const)('%s', async (name, options) => {
    const figures = await run({ ...options, faults: [{ name: '429-storm', times: 8 }] });
    keepsPromise(name, figures);
    expect(figures.archived).toBe(ITEMS);
  });

  test.concurrent.each(['401', '402', '455'] as const)('%s, lifted by hand', async (name) => {
    const figures = await run({ faults: [{ name, times: 3 }] });
    keepsPromise(name, figures);
    expect(figures.archived).toBe(ITEMS);
  });
});

test.concurrent('a huge Retry-After pauses the fleet for ten minutes at most, and sends nothing meanwhile', async () => {
  const batch = await stand({ simulator: { retryAfter: 'huge' }, faults: [{ name: '429-storm', times: 100 }] });
  await batch.enqueue();
  const fleet = await startLocalFleet(batch.environment);
  await vi.waitFor(async () => expect((await fleet.ports.submitLimiter.usage()).pausedMs).toBeGreaterThan(500_000));
  expect((await fleet.ports.submitLimiter.usage()).pausedMs).toBeLessThanOrEqual(600_000);
  await fleet.stop();
  // Those that were on their way when the first was refused.
  expect(batch.simulator.ledger().submits.seen).toBeLessThanOrEqual(ITEMS);
  await batch.close();
});

const UNKNOWN: readonly Fault[] = [
  { name: '500-http', times: 2 },
  { name: '500-http', times: 2, charged: true },
  { name: 'code-500', times: 2 },
  { name: 'code-500', times: 2, charged: true },
  { name: 'empty-body', times: 2 },
  { name: 'html-body', times: 2 },
  { name: 'truncated-body', times: 2 },
  { name: 'no-task-id', times: 2 },
  { name: 'reset-after-accept', times: 2 },
  { name: 'slow-answer', times: 2 },
];
const isCharged = ({ name, charged }: Fault) => charged ?? !name.includes('500');

describe('answers that leave the outcome of a submit unknown', () => {
  test.concurrent.each(UNKNOWN)('%o holds the item, and nothing is charged twice', async (fault) => {
    const figures = await run({ faults: [fault] });
    keepsPromise(`${fault.name}${fault.charged ? ', charged' : ''}`, figures);
    expect(figures).toMatchObject({ archived: ITEMS - 2, held: 2 });
  });

  test.concurrent.each(UNKNOWN)('%o with resubmit is charged twice at most once for each', async (fault) => {
    const figures = await run({ faults: [fault], environment: { ON_UNKNOWN: 'resubmit' } });
    const most = isCharged(fault) ? 2 : 0;
    keepsPromise(`${fault.name}${fault.charged ? ', charged' : ''}, resubmit`, figures, { chargedTwice: most });
    expect(figures).toMatchObject({ archived: ITEMS, chargedTwice: most });
  });
});

describe('status queries that go wrong cost nothing but time', () => {
  test.concurrent.each([
    'poll-404',
    'poll-500',
    'poll-html',
    'poll-reset',
    'response-string',
    'response-null',
    'success-without-url',
  ] as const)('%s', async (name) => {
    const figures = await run({ faults: [{ name, times: 5 }] });
    keepsPromise(name, figures);
    expect(figures.archived).toBe(ITEMS);
  });

  test.concurrent.each(['flag-2', 'flag-3'] as const)('%s fails the item, and is not paid for again', async (name) => {
    const figures = await run({ faults: [{ name, times: 2 }] });
    keepsPromise(name, figures);
    expect(figures).toMatchObject({ archived: ITEMS - 2, failed: 2, tasks: ITEMS });
  });
});
