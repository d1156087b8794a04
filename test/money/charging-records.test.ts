import { expect, test } from 'vitest';
import type { Charges } from '../../src/items/charges.ts';
import { chargingRecords } from '../../src/money/charging-records.ts';
import { BATCH, itemNamed, openRig, sentAgo } from '../stages/rig.ts';

const PRICES = { date: '2025-08-01', source: 'test', usdPerCredit: 0.005, credits: { 'flux-kontext-pro': 8 } };

test('charges that Redis did not take are recorded by the next update, which finds nothing to change', async () => {
  const rig = await openRig();
  const item = itemNamed('lighthouse');
  const taken: Charges[] = [];
  let isAway = true;
  const records = chargingRecords(rig.records, PRICES, async (_batch, charges) => {
    if (isAway) throw new Error('Redis is away');
    taken.push(...charges);
  });
  const write = () =>
    records.update(BATCH, item.id, (now) =>
      now ? undefined : { ...sentAgo(item, 1_000), state: 'submitted', taskId: 'task-1' },
    );
  await expect(write()).rejects.toThrow('away');
  isAway = false;
  expect(await write()).toMatchObject({ written: false, record: { state: 'submitted' } });
  await write();
  expect(taken).toEqual([{ id: item.id, known: 8, unsettled: 0 }]);
});
