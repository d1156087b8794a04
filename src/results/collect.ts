import { createHash } from 'node:crypto';
import { pMapIterable } from 'p-map';
import type { Archive } from '../archive/archive.ts';
import { fileOf, layout } from '../archive/layout.ts';
import { UsageError } from '../errors.ts';
import type { NumberedImage } from '../items/images.ts';
import { INPUT_TYPES, inputReferencesOf } from '../items/input-reference.ts';
import type { ItemRecord, StoredImage } from '../items/record.ts';
import { numbered } from './file-names.ts';
import type { Listed } from './standings.ts';

type Archived = Extract<ItemRecord, { state: 'archived' }>;

/**
 * The result for one image: `brought` was copied now, `kept` was there already, `lost` is missing or damaged in the
 * archive.
 */
export type CollectedImage = { kind: 'brought' | 'kept' | 'lost'; bytes: number; item: string; message?: string };

type ArchivedItem = Archived & Pick<Listed, 'standing'>;

export type CollectOptions = {
  /** The image's key in the target. */
  nameOf(record: ArchivedItem): string;
  /**
   * What has the name of an image and is another one stays, beside it and with some of its sha256 in its name. Otherwise it can
   * only be a spoiled copy, and is replaced.
   */
  keepsOthers?: boolean;
  /** How many images are copied at once. */
  width: number;
  signal: AbortSignal;
  onImage(collected: CollectedImage): void;
};

/**
 * Copies the images and thumbnails of records from one archive to another. Yields the records in order, with their keys
 * in the target. Idempotent: an image that is there with the right sha256 is kept, so a stopped run continues where it
 * was. An image that is missing or differs from its record's sha256 is left out and reported as `lost`.
 */
export function collect(
  records: AsyncIterable<Listed>,
  from: Archive,
  to: Archive,
  options: CollectOptions,
): AsyncIterable<Listed> {
  const inputs = new Set<string>();
  const copy = async (record: Listed): Promise<Listed> => {
    options.signal.throwIfAborted();
    if (record.state !== 'archived') return record;
    const image = options.nameOf(record);
    const thumb = `thumbs/${record.id}.webp`;
    const own = await copyBoth(record, { image, thumb }, record.id);
    const more: NumberedImage[] = [];
    for (const one of record.more ?? []) {
      const place = { image: numbered(image, one), thumb: `thumbs/${fileOf(record.id, one.number)}.webp` };
      more.push(await copyBoth(one, place, record.id));
    }
    for (const { reference, extension } of inputReferencesOf(record.request))
      if (!inputs.has(reference)) {
        inputs.add(reference);
        await copyInput(layout.input(record.batch, reference), reference, INPUT_TYPES[extension], from, to);
      }
    return { ...record, image: own.image, thumb: own.thumb, ...(more.length > 0 && { more }) };
  };
  const copyBoth = async <Image extends StoredImage>(
    one: Image,
    place: Pick<StoredImage, 'image' | 'thumb'>,
    item: string,
  ): Promise<Image> => {
    const collected = await copyImage(one, { name: place.image, item }, from, to, options);
    await copyThumb(one.thumb, place.thumb, collected.kind === 'brought', from, to, options.signal);
    options.onImage(collected);
    return { ...one, ...place };
  };
  return pMapIterable(records, copy, { concurrency: options.width });
}

async function copyImage(
  record: StoredImage,
  { name, item }: { name: string; item: string },
  from: Archive,
  to: Archive,
  { signal, keepsOthers = false }: CollectOptions,
): Promise<CollectedImage> {
  const { bytes, sha256, contentType } = record;
  const there = await to.read(name, signal);
  if (there?.length === bytes && sha256Of(there) === sha256) return { kind: 'kept', bytes, item };
  const body = await from.read(record.image, signal);
  const lost = (message: string): CollectedImage => ({ kind: 'lost', bytes: 0, item, message });
  if (!body) return lost(`${record.image} is not in the archive`);
  if (sha256Of(body) !== sha256) return lost(`${record.image} is not what was archived: its sha256 differs`);
  if (there && keepsOthers) await to.write(asideName(name, sha256Of(there)), there, { contentType, signal });
  await to.write(name, body, { contentType, signal });
  return { kind: 'brought', bytes, item };
}

/** `hero-1.jpg` → `hero-1.3f2a9c01b7de.jpg` */
function asideName(name: string, sha256: string): string {
  const dot = name.lastIndexOf('.');
  return `${name.slice(0, dot)}.${sha256.slice(0, 12)}${name.slice(dot)}`;
}

/** A thumbnail has no checksum, so it is copied again whenever its image is. A missing thumbnail is no error. */
async function copyThumb(
  key: string,
  name: string,
  isNew: boolean,
  from: Archive,
  to: Archive,
  signal: AbortSignal,
): Promise<void> {
  if (!isNew && (await to.read(name, signal))) return;
  const body = await from.read(key, signal);
  if (body) await to.write(name, body, { contentType: 'image/webp', signal });
}

/** It never changes. One that is missing is no error. */
async function copyInput(key: string, name: string, contentType: string, from: Archive, to: Archive): Promise<void> {
  if (await to.readPart(name, 0, 1)) return;
  const body = await from.read(key);
  if (body) await to.write(name, body, { contentType });
}

const sha256Of = (body: Buffer) => createHash('sha256').update(body).digest('hex');

/**
 * The target must not be inside the archive: the index there would be overwritten. Throws a UsageError
 * (`out-in-archive`).
 */
export function refuseSamePlace(archive: Archive, target: Archive): void {
  if (target.url !== archive.url && !target.url.startsWith(`${archive.url}/`)) return;
  throw new UsageError('out-in-archive', `${target.url} is in the archive itself`, {
    hint: 'Name a folder outside of it in --out.',
  });
}
