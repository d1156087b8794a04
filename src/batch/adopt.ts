import { createHash } from 'node:crypto';
import type { Archive } from '../archive/archive.ts';
import { layout } from '../archive/layout.ts';
import { findRecord } from '../archive/read-records.ts';
import type { Records } from '../archive/records.ts';
import { imagesOf, type NumberedImage } from '../items/images.ts';
import { INPUT_TYPES, inputReferencesOf } from '../items/input-reference.ts';
import type { NewItem } from '../items/item.ts';
import type { ItemRecord } from '../items/record.ts';

export type Archived = Extract<ItemRecord, { state: 'archived' }>;

/**
 * Gives an item the images of another one, at no cost: they are copied, then a record says where it comes from. What was
 * archived stays. Returns false when the image is not what was archived, or when the item has got a record meanwhile.
 */
export async function adoptImage(
  { archive, records }: { archive: Archive; records: Records },
  from: Archived,
  item: NewItem,
): Promise<boolean> {
  const { batch, id, name, variant, variables, priority } = item;
  const own: NumberedImage[] = [];
  for (const image of imagesOf(from)) {
    const copy = await copyImage(archive, image, { batch, id });
    if (!copy) return false;
    own.push(copy);
  }
  await copyInputs(archive, from, batch);
  const [{ image, thumb } = from, ...more] = own;
  const adopted = from.adopted ?? { batch: from.batch, id: from.id };
  const further = more.length > 0 ? { more } : {};
  return records.create({
    ...{ ...from, batch, id, name, variant, variables, priority, image, thumb, adopted },
    ...further,
  });
}

/** Undefined where it is not what was archived, or the item has another. */
async function copyImage(
  archive: Archive,
  from: NumberedImage,
  { batch, id }: { batch: string; id: string },
): Promise<NumberedImage | undefined> {
  const { contentType, number, sha256 } = from;
  const body = await archive.read(from.image);
  if (!body || sha256Of(body) !== sha256) return undefined;
  const extension = from.image.slice(from.image.lastIndexOf('.') + 1);
  const [image, thumb] = [layout.image(batch, id, extension, number), layout.thumb(batch, id, number)];
  // A worker may have archived the item just now: its image is never written over.
  if ((await archive.create(image, body, { contentType })) === undefined) {
    const there = await archive.read(image);
    if (!there || sha256Of(there) !== sha256) return undefined;
  }
  const small = await archive.read(from.thumb);
  if (small) await archive.write(thumb, small, { contentType: 'image/webp' });
  return { ...from, image, thumb };
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
