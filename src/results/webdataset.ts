import { createHash } from 'node:crypto';
import { pMapIterable } from 'p-map';
import { type Pack, pack } from 'tar-stream';
import type { Archive } from '../archive/archive.ts';
import { fileOf } from '../archive/layout.ts';
import { imagesOf, type NumberedImage } from '../items/images.ts';
import type { CollectedImage } from './collect.ts';
import { jsonLine } from './format.ts';
import { type Row, rowOf, rowsOfImages } from './row.ts';
import type { Listed } from './standings.ts';

type Archived = Extract<Listed, { state: 'archived' }>;
/** `name`: `hero-0123456789ab`, and `hero-0123456789ab_2` for a further image of its task. */
type Wanted = { record: Archived; name: string; image: NumberedImage; row: Row };
type Sample = Wanted & { body: Buffer };

export type ShardOptions = {
  /** Shards are named `<batch>-000000.tar`. */
  batch: string;
  /** A shard is closed before it would grow beyond this. */
  mostBytes?: number;
  signal: AbortSignal;
  onImage(image: CollectedImage): void;
};

/** What those who read shards from a network recommend: large enough to stream, small enough to be shuffled. */
const MOST_BYTES = 500_000_000;
const AT_ONCE = 8;
/** A file in a tar has a head of one block, and whole blocks. */
const BLOCK = 512;

/**
 * Writes the images of records into tar files as WebDataset reads them: of each its image and its row, `<id>.jpg` and `<id>.json`, of a
 * further image of the same task `<id>_2.jpg` and `<id>_2.json`. An
 * image that is missing or differs from its record's sha256 is left out and reported as `lost`. Resolves with the names of the shards.
 */
export async function writeShards(
  records: AsyncIterable<Listed>,
  from: Archive,
  to: Archive,
  { batch, mostBytes = MOST_BYTES, signal, onImage }: ShardOptions,
): Promise<string[]> {
  const names: string[] = [];
  let shard: Shard | undefined;
  try {
    for await (const sample of samples(records, from, signal)) {
      const { body, record } = sample;
      const { image, bytes } = sample.image;
      const { id } = record;
      if (body === undefined) {
        onImage({ kind: 'lost', bytes: 0, item: id, message: `${image} is not in the archive as it was archived` });
        continue;
      }
      if (shard && shard.bytes() + bytes > mostBytes) {
        await shard.commit();
        shard = undefined;
      }
      if (!shard) {
        const name = `${batch}-${String(names.length).padStart(6, '0')}.tar`;
        shard = await openShard(to, name);
        names.push(name);
      }
      await shard.add({ ...sample, body });
      onImage({ kind: 'brought', bytes, item: id });
    }
    await shard?.commit();
    return names;
  } catch (error) {
    await shard?.discard();
    throw error;
  }
}

function samples(records: AsyncIterable<Listed>, from: Archive, signal: AbortSignal) {
  const read = async (wanted: Wanted): Promise<Wanted & { body: Buffer | undefined }> => {
    signal.throwIfAborted();
    const body = await from.read(wanted.image.image, signal);
    const isWhole = body && createHash('sha256').update(body).digest('hex') === wanted.image.sha256;
    return { ...wanted, body: isWhole ? body : undefined };
  };
  return pMapIterable(wantedOf(records), read, { concurrency: AT_ONCE });
}

async function* wantedOf(records: AsyncIterable<Listed>): AsyncGenerator<Wanted> {
  for await (const record of records) {
    if (record.state !== 'archived') continue;
    const images = imagesOf(record);
    for (const [index, row] of rowsOfImages(rowOf(record)).entries()) {
      const image = images[index];
      if (image) yield { record, name: fileOf(record.id, index === 0 ? 1 : image.number), image, row };
    }
  }
}

type Shard = {
  bytes(): number;
  add(sample: Sample): Promise<void>;
  commit(): Promise<void>;
  discard(): Promise<void>;
};

async function openShard(to: Archive, name: string): Promise<Shard> {
  const file = await to.begin(name, { contentType: 'application/x-tar' });
  const tar = pack();
  let bytes = 0;
  const written = (async () => {
    for await (const chunk of tar) if (chunk instanceof Uint8Array) await file.append(Buffer.from(chunk));
  })();
  // It is waited for at the end; until then a failure must not end the process.
  written.catch(() => {});
  return {
    bytes: () => bytes,
    async add({ record, name, image, row, body }) {
      const modified = new Date(record.timings.archived ?? record.timings.queued);
      const extension = image.image.slice(image.image.lastIndexOf('.') + 1);
      const entry = (ending: string, content: Buffer) => {
        bytes += BLOCK + Math.ceil(content.length / BLOCK) * BLOCK;
        return Promise.race([addEntry(tar, `${name}.${ending}`, modified, content), written]);
      };
      await entry(extension, body);
      await entry('json', Buffer.from(jsonLine(row)));
    },
    async commit() {
      tar.finalize();
      await written;
      await file.commit();
    },
    async discard() {
      tar.destroy();
      // What is under way would write into a file that is gone, or bring it back.
      await written.catch(() => {});
      await file.discard();
    },
  };
}

function addEntry(tar: Pack, name: string, mtime: Date, content: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    tar.entry({ name, mtime, size: content.length, mode: 0o644 }, content, (error) =>
      error ? reject(error) : resolve(),
    );
  });
}
