import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { folderArchive } from '../../src/archive/folder.ts';
import { recordsIn } from '../../src/archive/records.ts';
import { batchLook } from '../../src/batch/batch-look.ts';
import { chargesOf } from '../../src/items/charges.ts';
import type { ImageRequest } from '../../src/items/item.ts';
import type { ItemRecord } from '../../src/items/record.ts';

const LIST = { date: '2025-08-01', source: 'test', usdPerCredit: 0.01, credits: { 'flux-2-pro': 3 } };
const PRICES = {
  ...{ date: '2025-08-01', source: 'test', usdPerCredit: 0.005, credits: { 'flux-kontext-pro': 5 } },
  providers: { bfl: LIST },
};

test('a look tells what each item has cost, and in whose account', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-look-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const archive = folderArchive(folder);
  const records = recordsIn(archive);
  const common = (name: string, request: Omit<ImageRequest, 'prompt'>) => ({
    ...{ version: 1 as const, id: `${name}-0123456789ab`, name, batch: 'spring', variant: 1, priority: 0 },
    ...{ variables: {}, request: { prompt: 'A kite', ...request }, attempts: 1, earlierTaskIds: [] },
    timings: { queued: '2026-03-01T10:00:00.000Z' },
  });
  const kie = { model: 'flux-kontext-pro' };
  const bfl = { model: 'flux-2-pro', provider: 'bfl' as const };
  const all: ItemRecord[] = [
    { ...common('a', kie), state: 'submitted', taskId: 'task-a' },
    { ...common('b', bfl), state: 'submitted', taskId: 'task-b' },
    { ...common('c', bfl), state: 'claimed' },
    { ...common('d', { model: 'z-image', provider: 'kie-jobs' }), state: 'claimed', price: 1 },
  ];
  for (const record of all) await records.write(record);
  const look = batchLook({ archive, records, prices: PRICES, log: { debug() {} } }, 'spring');
  const charges = [...(await look.seen()).charges()].flat();
  expect(charges).toEqual(all.map((record) => chargesOf(record, PRICES)));
  expect(charges).toMatchObject([{ known: 5 }, { known: 6, account: 'bfl' }, { unsettled: 6, account: 'bfl' }, {}]);
});
