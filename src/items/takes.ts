import { formerIds } from './former-ids.ts';
import { itemId } from './item-id.ts';
import type { ItemRecord } from './record.ts';

/** More takes of one image than anybody makes. */
export const MOST_TAKES = 200;

/** The ids that the first take of an item may have: now, or by version 1. */
export function firstTakeIds(record: Pick<ItemRecord, 'name' | 'request' | 'variant'>): Iterable<string> {
  return [itemId(record.name, record.request, record.variant), ...formerIds(record)];
}

/** Which take a record is of. It is in the id; 1 where that tells nothing. */
export function takeOf({
  id,
  name,
  request,
  variant,
}: Pick<ItemRecord, 'id' | 'name' | 'request' | 'variant'>): number {
  for (let take = 2; take <= MOST_TAKES; take++) if (itemId(name, request, variant, take) === id) return take;
  return 1;
}
