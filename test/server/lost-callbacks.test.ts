import { expect, test } from 'vitest';
import { itemsOf, startDeployment } from './deployment.ts';

const ITEMS = 500;

// How soon tasks are found is a promise about time: bench/callbacks.ts measures it.
test('four workers and a server, a third of the callbacks lost and some doubled: every item is archived, each paid for once', async () => {
  const deployment = await startDeployment({
    simulator: { timeScale: 0.1, callbackLostShare: 0.3, callbackDuplicateShare: 0.1, webhookKey: 'secret' },
    config: { FLUX_WEBHOOK_KEY: 'secret', FLUX_RATE_LIMIT: '100/1s', FLUX_POLL_LIMIT: '200/1s' },
  });
  const workers = await Promise.all([1, 2, 3, 4].map(() => deployment.addWorkers()));
  await deployment.enqueue('spring', itemsOf('spring', ITEMS));
  const counts = await deployment.ended('spring', 90_000);
  await Promise.all(workers.map(({ fleet }) => fleet.drain(20_000)));
  expect(counts.items.archived).toBe(ITEMS);
  expect(counts.submits).toBe(ITEMS);
  const ledger = deployment.simulator.ledger();
  expect(ledger.tasks.accepted).toBe(ITEMS);
  expect(ledger.repeatedRequests).toEqual([]);
  expect(ledger.callbacks.failed).toBe(0);
  expect(ledger.callbacks.lost).toBeGreaterThan(ITEMS * 0.2);
}, 120_000);
