import { expect, test, vi } from 'vitest';
import { redisInboxBudget } from '../../src/fleet/inbox-budget.ts';
import { redisInboxDrops } from '../../src/fleet/inbox-drops.ts';
import { startDeployment } from '../server/deployment.ts';
import { manifestOf, openFolderInbox, reportOf, reportsIn, watch } from './stand.ts';

const PRICE = 8;

test('a drop beyond --budget-each waits and costs nothing', async () => {
  const stand = await startDeployment();
  await stand.addWorkers();
  const inbox = await openFolderInbox();
  watch(inbox.place, stand.connections, { allowance: { each: 2 * PRICE, aDay: undefined } });
  await inbox.drop('dear.yaml', manifestOf('dear', ['One', 'Two', 'Three']));
  await inbox.drop('cheap.yaml', manifestOf('cheap', ['One', 'Two']));
  const dear = await reportOf(inbox.place, 'waiting', 'dear.yaml');
  expect(dear.why).toBe('it costs 24 credits, about $0.12, more than the 16 that one drop may cost (--budget-each)');
  await vi.waitFor(async () => expect((await reportOf(inbox.place, 'accepted', 'cheap.yaml')).status).toBe('ended'));
  expect(stand.simulator.ledger().tasks.accepted).toBe(2);
  expect(await stand.connections.state.batches()).toEqual(['cheap']);
});

test("three inboxes at once never pass the day's total", async () => {
  const stand = await startDeployment();
  const inbox = await openFolderInbox();
  const [allowed, drops] = [7, 20];
  for (let number = 1; number <= drops; number += 1) {
    await inbox.drop(`batch-${number}.yaml`, manifestOf(`batch-${number}`, [`Picture ${number}`]));
  }
  // Room for half a picture is no room.
  const allowance = { each: 1_000, aDay: (allowed + 0.5) * PRICE };
  const others = [await stand.open(false), await stand.open(false)];
  for (const connections of [stand.connections, ...others]) watch(inbox.place, connections, { allowance });
  await stand.addWorkers();
  await vi.waitFor(async () => expect(await inbox.left()).toEqual([]));
  const [accepted, waiting] = [await reportsIn(inbox.place, 'accepted'), await reportsIn(inbox.place, 'waiting')];
  expect([accepted.size, waiting.size]).toEqual([allowed, drops - allowed]);
  for (const { why } of waiting.values()) expect(why).toContain("the day's 60 would be passed (--budget-total)");
  const { redis, keys, clock } = stand.connections;
  const budget = redisInboxBudget(redis, keys, clock);
  expect(await budget.spentToday()).toBe(allowed * PRICE);

  // A person's approval is never refused, and counts.
  const queue = redisInboxDrops(redis, keys);
  const [chosen] = await queue.waiting();
  if (!chosen) throw new Error('nothing waits');
  await queue.approve(chosen);
  await vi.waitFor(async () => expect((await reportsIn(inbox.place, 'accepted')).size).toBe(allowed + 1));
  expect(await budget.spentToday()).toBe((allowed + 1) * PRICE);
  await stand.ended(chosen.batch);
  for (const { batch } of accepted.values()) await stand.ended(batch ?? '');
  expect(stand.simulator.ledger().tasks.accepted).toBe(allowed + 1);
});
