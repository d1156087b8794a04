import type { Archive } from '../archive/archive.ts';
import { FEWEST_TO_COVER, openBatchRecords } from '../archive/batch-records.ts';
import { readable } from '../archive/read-records.ts';
import type { Records } from '../archive/records.ts';
import type { NewItem } from '../items/item.ts';
import { requestKey, textInOneForm } from '../items/one-form.ts';
import type { Archived } from './adopt.ts';
import { recordedIds, settled } from './settle-ids.ts';

export type Adoption = { item: NewItem; from: Archived };

export type AdoptOptions = {
  /** The batch that has the images; it may be the manifest's own. */
  from: string;
  /** New names, each with the former name whose image is declared to be right, whatever its request. */
  declared: ReadonlyMap<string, string>;
};

/**
 * The items without a record that an archived image fits: of an equal request and variant, first of all under the same name, or
 * of the name that was declared. An image that the manifest has itself is taken only where it was declared. Changes nothing.
 */
export async function adoptable(
  { archive, records }: { archive: Archive; records: Records },
  batch: string,
  items: AsyncIterable<NewItem>,
  { from, declared }: AdoptOptions,
): Promise<Adoption[]> {
  const recorded = await recordedIds(records.list(batch));
  const kept = new Set<string>();
  const wanted: NewItem[] = [];
  for await (const item of settled(batch, items, recorded, undefined)) {
    if (recorded.has(item.id)) kept.add(item.id);
    else wanted.push(item);
  }
  if (wanted.length === 0) return [];
  const byName = new Map<string, Archived>();
  const byRequest = new Map<string, Archived[]>();
  const held = await openBatchRecords({ archive, records }, from, { fewestToCover: FEWEST_TO_COVER });
  for await (const record of readable(held.all(), () => {})) {
    if (record.state !== 'archived') continue;
    const named = byName.get(nameKey(record));
    if (!named || named.timings.queued < record.timings.queued) byName.set(nameKey(record), record);
    if (from === batch && kept.has(record.id)) continue;
    byRequest.set(requestKey(record), [...(byRequest.get(requestKey(record)) ?? []), record]);
  }
  // It saves the next reader time. Who may only read has what was asked for.
  await held.cover().catch(() => 0);
  return wanted.flatMap((item) => {
    const former = declared.get(item.name);
    const source =
      former === undefined
        ? takeEqual(byRequest.get(requestKey(item)) ?? [], item)
        : byName.get(nameKey({ ...item, name: former }));
    return source ? [{ item, from: source }] : [];
  });
}

/** An image fits one item only. */
function takeEqual(equal: Archived[], item: NewItem): Archived | undefined {
  const same = equal.findIndex((record) => nameKey(record) === nameKey(item));
  return equal.splice(Math.max(0, same), 1)[0];
}

const nameKey = ({ name, variant }: Pick<NewItem, 'name' | 'variant'>) => `${variant} ${textInOneForm(name)}`;
