import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { z } from 'zod';
import type { NewItem } from '../items/item.ts';
import type { Archive } from './archive.ts';
import { layout } from './layout.ts';

/** Where an item stands in its manifest. */
const placeSchema = z.object({ job: z.string(), file: z.string(), line: z.int().exactOptional() });
export type ItemPlace = z.infer<typeof placeSchema>;
/** A line of `items-<digest>.jsonl.gz`, as far as it is needed. The rest is the item as it was enqueued. */
const lineSchema = placeSchema.extend({
  id: z.string(),
  name: z.string(),
  variant: z.int(),
  request: z.object({ model: z.string() }).exactOptional(),
});
export type ListedItem = z.infer<typeof lineSchema>;

export type ItemsFileWriter = {
  add(items: readonly (NewItem & { place?: ItemPlace })[]): Promise<void>;
  /** Stores it, and returns its name in the batch's folder. */
  commit(): Promise<string>;
  /** Removes what was written on this machine. Call it at the end, whatever came. */
  close(): Promise<void>;
};

/** The digest is in the name, so the lines wait in a temporary file until the last of them is known. */
export function itemsFileWriter(archive: Archive, batch: string): ItemsFileWriter {
  const path = join(tmpdir(), `flux-batch-items-${randomUUID()}.gz`);
  const hash = createHash('sha256');
  const gzip = createGzip({ level: 6 });
  const file = gzip.pipe(createWriteStream(path, { mode: 0o600 }));
  const written = finished(file);
  // It is waited for at the end; until then a failure must not end the process.
  written.catch(() => {});
  return {
    async add(items) {
      for (const { batch: _, place, ...item } of items) {
        const { id, name, ...others } = item;
        const line = `${JSON.stringify({ id, name, ...(place ?? { job: '', file: '' }), ...others })}\n`;
        hash.update(line);
        if (!gzip.write(line)) await Promise.race([new Promise((taken) => gzip.once('drain', taken)), written]);
      }
    },
    async commit() {
      gzip.end();
      await written;
      const name = `items-${hash.digest('hex').slice(0, 16)}.jsonl.gz`;
      const pending = await archive.begin(layout.folder(batch) + name, { contentType: 'application/gzip' });
      try {
        const parts: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: 2 ** 20 });
        for await (const part of parts) await pending.append(part);
        await pending.commit();
      } catch (error) {
        await pending.discard();
        throw error;
      }
      return name;
    },
    async close() {
      gzip.destroy();
      file.destroy();
      await rm(path, { force: true });
    },
  };
}

/** Yields the lines of an items file in order. Throws when it is missing or damaged. */
export async function* readItemsFile(archive: Archive, batch: string, name: string): AsyncGenerator<ListedItem> {
  const body = await archive.read(layout.folder(batch) + name);
  if (!body) throw new Error(`${layout.folder(batch)}${name} is missing`);
  const text = Readable.from([body]).pipe(createGunzip());
  const lines = createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) yield lineSchema.parse(JSON.parse(line));
}
