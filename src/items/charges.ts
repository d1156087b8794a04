import type { Records } from '../archive/records.ts';
import { creditsOf, type Prices } from '../money/prices.ts';
import type { ItemRecord } from './record.ts';

/** What one item has cost, in credits: `known` for tasks that were started, `maybe` for submits of which nobody knows. */
export type Charges = { id: string; known: number; maybe: number };

/**
 * Read off the record alone, so that it outlives Redis. Every task counts, at today's price, and stays counted when it fails: whether
 * the provider gives credits back is not documented. A model without a price costs nothing here; a budget refuses it.
 */
export function chargesOf(record: ItemRecord, prices: Prices): Charges {
  const price = creditsOf(prices, record.request.model) ?? 0;
  const tasks = new Set(record.earlierTaskIds);
  if ('taskId' in record && record.taskId !== undefined) tasks.add(record.taskId);
  const maybe = (record.unknownAttempts ?? 0) + (isUnknown(record) ? 1 : 0);
  return { id: record.id, known: tasks.size * price, maybe: maybe * price };
}

/** Its last submit went out, or may have, and nothing came back that tells what became of it. */
export function isUnknown(record: ItemRecord): boolean {
  if (record.state === 'claimed') return true;
  return record.state === 'held' && record.taskId === undefined && record.failure.class === 'unknown-outcome';
}

/** Where the charges of a batch's items are kept together; an item's replace what was noted of it before. */
export type Account = (batch: string, charges: readonly Charges[]) => Promise<void>;

/** Records that are accounted for as they are written: the archive first, since it is the truth. */
export function accountedRecords(records: Records, prices: Prices, account: Account): Records {
  return {
    ...records,
    async write(record, signal) {
      await records.write(record, signal);
      await account(record.batch, [chargesOf(record, prices)]);
    },
    async create(record, signal) {
      const created = await records.create(record, signal);
      if (created) await account(record.batch, [chargesOf(record, prices)]);
      return created;
    },
  };
}
