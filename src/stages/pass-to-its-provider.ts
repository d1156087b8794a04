import { type Item, providerOf } from '../items/item.ts';
import { boundBy, isBound } from '../items/provider-list.ts';
import type { ItemRecord } from '../items/record.ts';
import type { Ports } from './ports.ts';

/**
 * What was sent, or may have been, is never submitted at another provider. Whether this item's record says so of another than it was to
 * be submitted at: then it waits with that one's items, and its record is settled there.
 */
export async function passToItsProvider(
  item: Item,
  found: ItemRecord | undefined,
  { forward }: Pick<Ports, 'forward'>,
): Promise<boolean> {
  if (!found || !isBound(found) || providerOf(found.request) === providerOf(item.request)) return false;
  await forward.submit(boundBy(item, found));
  return true;
}
