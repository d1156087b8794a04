import { expect, test } from 'vitest';
import type { Records } from '../../src/archive/records.ts';
import { failureReader } from '../../src/server/pages/failures.ts';
import { BATCH, item, openState } from '../fleet/open-state.ts';
import { failedRecordOf } from '../results/sample-batch.ts';

/** A batch of failed items among others, its reader, and how often all of its items were looked through. */
async function readerOf(failed: number) {
  const opened = await openState();
  const { state } = opened;
  const stored = Array.from({ length: failed }, (_, n) => failedRecordOf(BATCH, `item-${n}`, 'refused'));
  const byId = new Map(stored.map((record) => [record.id, record]));
  const records: Pick<Records, 'read'> = { read: async (_, id) => byId.get(id) };
  await state.intake.admit(
    BATCH,
    stored.map(({ id }) => ({ id, was: undefined, to: 'failed' as const })),
  );
  let searches = 0;
  const counted = {
    ...state,
    async *itemsIn(...args: Parameters<typeof state.itemsIn>) {
      searches += 1;
      yield* state.itemsIn(...args);
    },
  };
  const read = failureReader({ state: counted, records: { ...NO_WRITES, ...records } });
  const failures = async () => {
    const { items } = await opened.counts();
    return read(BATCH, items.failed + items.held);
  };
  return { ...opened, failures, ids: stored.map(({ id }) => id), searches: () => searches };
}

const refuse = async () => {
  throw new Error('Expected nothing to be written');
};
const NO_WRITES = {
  markOf: () => undefined,
  readMarked: refuse,
  write: refuse,
  update: refuse,
  create: refuse,
  putAside: refuse,
  async *list() {},
};

test('failures are told without a look through all items, the latest 500, and the rest is counted', async () => {
  const { failures, searches } = await readerOf(700);
  const { failures: groups, unread } = await failures();
  expect(groups).toMatchObject([{ class: 'content-policy', total: 500 }]);
  expect(unread).toBe(200);
  expect(searches()).toBe(0);
});

test('a failed item that goes on is not told any more, and one that fails after it comes first', async () => {
  const { state, failures, ids, searches } = await readerOf(3);
  const [first = '', second = '', third = ''] = ids;
  await state.move(item(first), 'queued');
  await state.intake.admit(BATCH, [{ id: second, was: 'failed', to: 'submitted' }]);
  await state.move(item(second), 'failed');
  expect((await state.recentlyTroubled(BATCH)).toSorted()).toEqual([second, third].toSorted());
  expect((await failures()).failures).toMatchObject([{ total: 2 }]);
  expect(searches()).toBe(0);
});

test('a Redis of an older version, which noted no failures, is looked through once and not for each page', async () => {
  const { redis, keys, failures, searches } = await readerOf(20);
  await redis.del(keys.recentlyTroubled(BATCH));
  expect((await failures()).failures).toMatchObject([{ total: 20 }]);
  expect((await failures()).unread).toBe(0);
  expect(searches()).toBe(1);
});
