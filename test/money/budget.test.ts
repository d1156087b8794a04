import { describe, expect, test } from 'vitest';
import { isOutOfBudget } from '../../src/batch/counts.ts';
import { BATCH, openRig, prompts } from '../batch/rig.ts';

describe('a budget', () => {
  test('is never passed by four workers at once, and is used up', async () => {
    const rig = await openRig();
    await rig.enqueue(await rig.manifest(prompts(60)), 165);
    await Promise.all([rig.work(), rig.work(), rig.work(), rig.work()]);
    const end = await rig.until(isOutOfBudget);
    expect(rig.charged()).toBe(160);
    expect(end).toMatchObject({ credits: 160, unsettled: 0, budget: 165, overBudget: { items: 40, credits: 320 } });
    expect(end.items).toMatchObject({ archived: 20, queued: 40 });
  });

  test('that is raised lets the batch go on, without a new worker', async () => {
    const rig = await openRig();
    const file = await rig.manifest(prompts(12));
    await rig.enqueue(file, 40);
    await rig.work();
    await rig.until(isOutOfBudget);
    await rig.enqueue(file, 80);
    await rig.until((now) => isOutOfBudget(now) && now.items.archived === 10);
    expect(rig.charged()).toBe(80);
    await rig.enqueue(file);
    expect((await rig.ended()).items.archived).toBe(12);
    expect(rig.charged()).toBe(96);
    expect(rig.simulator.ledger().repeatedRequests).toEqual([]);
  });

  test('that was raised by a command that died before it woke anybody lets the batch go on', async () => {
    const rig = await openRig();
    await rig.enqueue(await rig.manifest(prompts(8)), 40);
    await rig.work();
    await rig.until(isOutOfBudget);
    await rig.connections.spending.setBudget(BATCH, { all: 56 });
    await rig.until((now) => isOutOfBudget(now) && now.items.archived === 7);
    expect(rig.charged()).toBe(56);
  });

  test('counts what was spent before Redis was emptied', async () => {
    const rig = await openRig();
    const file = await rig.manifest(prompts(12));
    await rig.enqueue(file, 40);
    const fleet = await rig.work();
    await rig.until(isOutOfBudget);
    await fleet.drain(20_000);
    await rig.flush();
    await rig.enqueue(file, 56);
    await rig.work();
    const end = await rig.until(isOutOfBudget);
    expect(end).toMatchObject({ credits: 56, budget: 56 });
    expect(rig.charged()).toBe(56);
  });

  test('counts what was spent for items that the manifest has no more', async () => {
    const rig = await openRig();
    await rig.enqueue(await rig.manifest(prompts(5)));
    const fleet = await rig.work();
    await rig.ended();
    await fleet.drain(20_000);
    await rig.flush();
    await rig.enqueue(await rig.manifest(['Quite another', 'Yet another', 'A third']), 56);
    await rig.work();
    await rig.until(isOutOfBudget);
    expect(rig.charged()).toBe(56);
  });

  test('gives room again for what was refused, and wakes who waits for it', async () => {
    const rig = await openRig();
    const refused = ['A forbidden thing', 'Another forbidden thing'];
    await rig.enqueue(await rig.manifest([...refused, ...prompts(6)]), 48);
    await rig.work();
    // One that is to be refused may come when six others have taken all: then it waits for a budget that nobody gives back.
    const end = await rig.until(
      ({ items, overBudget }) => items.archived === 6 && items.failed + overBudget.items === 2,
    );
    expect(end.items.archived).toBe(6);
    expect(rig.charged()).toBe(48);
  });

  test('keeps what an unknown outcome may have cost', async () => {
    const rig = await openRig({ simulator: { faults: [{ name: 'reset-after-accept', times: 2 }] } });
    await rig.enqueue(await rig.manifest(prompts(10)), 40);
    await rig.work();
    const end = await rig.until(isOutOfBudget);
    expect(end.items).toMatchObject({ archived: 3, held: 2, queued: 5 });
    expect(end).toMatchObject({ credits: 24, unsettled: 16 });
    expect(rig.charged()).toBe(40);
  });

  test('holds for submits that are sent again after an unknown outcome', async () => {
    const rig = await openRig({
      simulator: { faults: [{ name: 'reset-after-accept', share: 0.4 }] },
      env: { ON_UNKNOWN: 'resubmit', UNKNOWN_LIMIT: '0' },
    });
    await rig.enqueue(await rig.manifest(prompts(20)), 80);
    await Promise.all([rig.work(), rig.work()]);
    await rig.until(isOutOfBudget);
    expect(rig.charged()).toBeLessThanOrEqual(80);
    expect(rig.charged()).toBeGreaterThanOrEqual(72);
  });
});
