import { creditsOf, type Prices } from '../money/prices.ts';
import { type ItemRecord, tasksOf } from './record.ts';

/** What one item has cost, in credits: `known` for tasks that were started, `unsettled` for submits whose outcome nobody knows. */
export type Charges = { id: string; known: number; unsettled: number };

/**
 * Read from the record alone, so that it outlives Redis. Every task counts, at today's price. It stays counted when it fails, since
 * the provider does not document whether it gives credits back. A model without a price costs nothing here; a budget refuses it.
 * An image that was taken over counts where it was paid for.
 */
export function chargesOf(record: ItemRecord, prices: Prices): Charges {
  if (record.adopted) return { id: record.id, known: 0, unsettled: 0 };
  const price = creditsOf(prices, record.request.model) ?? 0;
  const unsettled = (record.unknownAttempts ?? 0) + (isUnknown(record) ? 1 : 0);
  return { id: record.id, known: tasksOf(record).size * price, unsettled: unsettled * price };
}

/** Its last submit went out, or may have, and no answer tells what became of it. */
export function isUnknown(record: ItemRecord): boolean {
  if (record.state === 'claimed') return true;
  return record.state === 'held' && record.taskId === undefined && record.failure.class === 'unknown-outcome';
}

/** Keeps the charges of a batch's items together. An item's charges replace those recorded before. */
export type RecordCharges = (batch: string, charges: readonly Charges[]) => Promise<void>;
