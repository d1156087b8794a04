import { createHash } from 'node:crypto';
import type { Archive } from '../archive/archive.ts';
import { layout } from '../archive/layout.ts';
import { findRecord } from '../archive/read-records.ts';
import type { Records } from '../archive/records.ts';
import { INPUT_TYPES, inputReferencesOf } from '../items/input-reference.ts';
import type { NewItem } from '../items/item.ts';
import type { ItemRecord } from '../items/record.ts';

export type Archived = Extract<ItemRecord, { state: 'archived' }>;

/**
 * Gives an item the image of another one, at no cost: the image is copied, then a record says where it comes from. What was
 * archived stays. Returns false when the image is not what was archived, or when the item has got a record meanwhile.
 */
export async function adoptImage(
  { archive, records }: { archive: Archive; records: Records },
  from: Archived,
  item: NewItem,
): Promise<boolean> {
  const { batch, id, name, variant, variables, priority } = item;
  const { contentType } = from;
  const body = await archive.read(from.image);
  if (!body || sha256Of(body) !== from.sha256) return false;
  const extension = from.image.slice(from.image.lastIndexOf('.') + 1);
  const [image, thumb] = [layout.image(batch, id, extension), layout.thumb(batch, id)];
  // A worker may have archived the item just now: its image is never written over.
  if ((await archive.create(image, body, { contentType })) === undefined) {
    const there = await archive.read(image);
    if (!there || sha256Of(there) !== from.sha256) return false;
  }
  const small = await archive.read(from.thumb);
  if (small) await archive.write(thumb, small, { contentType: 'image/webp' });
  await copyInputs(archive, from, batch);
  const adopted = from.adopted ?? { batch: from.batch, id: from.id };
  return records.create({ ...from, batch, id, name, variant, variables, priority, image, thumb, adopted });
}

/** What its image was made from, so that it can be made again, and seen beside the image, in its new batch too. */
async function copyInputs(archive: Archive, from: Archived, batch: string): Promise<void> {
  if (from.batch === batch) return;
  for (const { reference, extension } of inputReferencesOf(from.request)) {
    const body = await archive.read(layout.input(from.batch, reference));
    if (body) await archive.create(layout.input(batch, reference), body, { contentType: INPUT_TYPES[extension] });
  }
}

/** The first of some items that has an image. */
export async function formerImage(
  records: Pick<Records, 'read'>,
  batch: string,
  ids: readonly string[],
): Promise<Archived | undefined> {
  for (const id of ids) {
    const found = await findRecord(records, batch, id);
    if (found?.state === 'archived') return found;
  }
  return undefined;
}

const sha256Of = (body: Buffer) => createHash('sha256').update(body).digest('hex');
