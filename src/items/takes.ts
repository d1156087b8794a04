import { formerIds } from './former-ids.ts';
import { itemId } from './item-id.ts';
import { firstRequest } from './provider-list.ts';
import type { ItemRecord } from './record.ts';

/** More takes of one image than anybody makes. */
export const MOST_TAKES = 200;

/** The ids that the first take of an item may have: now, or by version 1. */
export function firstTakeIds(record: Pick<ItemRecord, 'name' | 'request' | 'providers' | 'variant'>): Iterable<string> {
  const { name, variant } = record;
  const request = firstRequest(record);
  return [itemId(name, request, variant), ...formerIds({ name, request, variant })];
}

/** Which take a record is of. It is in the id; 1 where that tells nothing. */
export function takeOf(record: Pick<ItemRecord, 'id' | 'name' | 'request' | 'providers' | 'variant'>): number {
  const { id, name, variant } = record;
  const request = firstRequest(record);
  for (let take = 2; take <= MOST_TAKES; take++) if (itemId(name, request, variant, take) === id) return take;
  return 1;
}
