import type { Item, Submitted } from './item.ts';
import { type ItemRecord, tasksOf } from './record.ts';

/**
 * What a submit is to cost, and what those of a record were that does not say so. In credits of the default provider; undefined
 * without a price.
 */
export type ClaimPrice = { now: number | undefined; untold: number | undefined };

/** What its tasks have cost, as far as the provider has said it, the latest word included. */
export function costsOf(
  record: ItemRecord | undefined,
  item: Item | Submitted | undefined = undefined,
): Pick<ItemRecord, 'costs'> {
  const said = item && 'taskId' in item && item.credits !== undefined ? { [item.taskId]: item.credits } : {};
  const costs = { ...record?.costs, ...said };
  return Object.keys(costs).length === 0 ? {} : { costs };
}

export function pricesOf(record: ItemRecord | undefined): Pick<ItemRecord, 'price' | 'earlierPrices'> {
  const { price, earlierPrices } = record ?? {};
  return { ...(price !== undefined && { price }), ...(earlierPrices && { earlierPrices }) };
}

/** The price of a new submit. The tasks so far keep the one that they were submitted at, where it was another. */
export function repriced(
  previous: ItemRecord | undefined,
  { now, untold }: ClaimPrice,
): Pick<ItemRecord, 'price' | 'earlierPrices'> {
  if (now === undefined) return {};
  const former = previous?.price ?? untold;
  if (!previous || former === undefined || former === now) return { price: now };
  const tasks = [...tasksOf(previous)].map((id): [string, number] => [id, former]);
  if (tasks.length === 0) return { price: now };
  return { price: now, earlierPrices: { ...Object.fromEntries(tasks), ...previous.earlierPrices } };
}
