import { creditsOf, inDefaultCredits, kindOf, type Prices } from '../money/prices.ts';
import { ACCOUNTS, type Account, accountOf, type ImageRequest, providerOf } from './item.ts';
import { type ItemRecord, tasksOf } from './record.ts';

/** What one item has cost, in credits, and whose they are where it is not the default account: `known` for tasks that were started, `unsettled` for submits whose outcome nobody knows. */
export type Charges = { id: string; known: number; unsettled: number; account?: Account };

/**
 * Read from the record, so that it outlives Redis. Every task counts: as much as the provider says that it has charged, and where it
 * does not say so, at the price that it was submitted at. Then it stays counted when it fails, since whether credits are given back is
 * not documented. A model without a price costs nothing here; a budget refuses it. An image that was taken over counts where it was
 * paid for.
 */
export function chargesOf(record: ItemRecord, prices: Prices): Charges {
  if (record.adopted) return { id: record.id, known: 0, unsettled: 0 };
  const price = record.price ?? untoldPrice(record.request, prices) ?? 0;
  const costOf = (task: string) => {
    const said = record.costs?.[task];
    return said === undefined
      ? (record.earlierPrices?.[task] ?? price)
      : inDefaultCredits(prices, providerOf(record.request), said);
  };
  const unsettled = (record.unknownAttempts ?? 0) + (isUnknown(record) ? 1 : 0);
  const account = accountOf(providerOf(record.request));
  return {
    id: record.id,
    known: sumOf([...tasksOf(record)].map(costOf)),
    unsettled: unsettled * price,
    ...(account !== ACCOUNTS[0] && { account }),
  };
}

/** What an image was to cost whose record does not say so: former versions wrote it, when the earliest prices were in force. */
export function untoldPrice(request: ImageRequest, prices: Prices): number | undefined {
  return creditsOf(prices.earliest ?? prices, kindOf(request));
}

/** Without the noise of binary fractions. */
function sumOf(credits: readonly number[]): number {
  return Math.round(credits.reduce((sum, each) => sum + each, 0) * 1e6) / 1e6;
}

/** Its last submit went out, or may have, and no answer tells what became of it. */
export function isUnknown(record: ItemRecord): boolean {
  if (record.state === 'claimed') return true;
  return record.state === 'held' && record.taskId === undefined && record.failure.class === 'unknown-outcome';
}

/** Keeps the charges of a batch's items together. An item's charges replace those recorded before. */
export type RecordCharges = (batch: string, charges: readonly Charges[]) => Promise<void>;
