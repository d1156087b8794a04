import { createHash } from 'node:crypto';
import { pMapIterable } from 'p-map';
import type { Archive } from '../archive/archive.ts';
import { UsageError } from '../errors.ts';
import type { ItemRecord } from '../items/record.ts';
import type { Found } from '../items/unreadable.ts';

type Archived = Extract<ItemRecord, { state: 'archived' }>;

/** What became of an image: brought over, found there already, or not to be had as it was archived. */
export type Brought = { kind: 'brought' | 'kept' | 'lost'; bytes: number; item: string; message?: string };

export type CollectOptions = {
  /** The images' names in the target. */
  nameOf(record: Archived): string;
  /** Images under way at once. */
  width: number;
  signal: AbortSignal;
  onImage(brought: Brought): void;
};

/**
 * Brings the images and thumbnails of records from one archive to another, and passes the records on in order with the keys
 * that they have there. An image that is there with its sha256 stays, so that a stopped run goes on where it was; one whose
 * bytes are not those that were archived is left out and told of.
 */
export function collect(
  records: AsyncIterable<Found>,
  from: Archive,
  to: Archive,
  options: CollectOptions,
): AsyncIterable<Found> {
  const bring = async (record: Found): Promise<Found> => {
    options.signal.throwIfAborted();
    if (record.state !== 'archived') return record;
    const image = options.nameOf(record);
    const thumb = `thumbs/${record.id}.webp`;
    const brought = await bringImage(record, image, from, to, options.signal);
    await bringThumb(record.thumb, thumb, brought.kind === 'brought', from, to, options.signal);
    options.onImage(brought);
    return { ...record, image, thumb };
  };
  return pMapIterable(records, bring, { concurrency: options.width });
}

async function bringImage(
  record: Archived,
  name: string,
  from: Archive,
  to: Archive,
  signal: AbortSignal,
): Promise<Brought> {
  const { id: item, bytes, sha256, contentType } = record;
  const there = await to.read(name, signal);
  if (there?.length === bytes && sha256Of(there) === sha256) return { kind: 'kept', bytes, item };
  const body = await from.read(record.image, signal);
  const lost = (message: string): Brought => ({ kind: 'lost', bytes: 0, item, message });
  if (!body) return lost(`${record.image} is not in the archive`);
  if (sha256Of(body) !== sha256) return lost(`${record.image} is not what was archived: its sha256 differs`);
  await to.write(name, body, { contentType, signal });
  return { kind: 'brought', bytes, item };
}

/** A thumbnail has no sum of its own: it comes again with its image. That one is missing spoils nothing. */
async function bringThumb(
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

const sha256Of = (body: Buffer) => createHash('sha256').update(body).digest('hex');

/** The folder that is collected to must not be the archive's own: the index there would be overwritten with another's. */
export function refuseSamePlace(archive: Archive, target: Archive): void {
  if (target.url !== archive.url && !target.url.startsWith(`${archive.url}/`)) return;
  throw new UsageError('out-in-archive', `${target.url} is in the archive itself`, {
    hint: 'Name a folder outside of it in --out.',
  });
}
