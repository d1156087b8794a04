import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createGunzip, gzip } from 'node:zlib';
import { z } from 'zod';
import { refuseTemporary, temporaryPath } from '../files/temporary.ts';
import { imageRequestSchema, itemSchema, type NewItem } from '../items/item.ts';
import { SUBMIT_WAYS, type SubmitWay, submitWayOf } from '../items/submit-way.ts';
import type { Archive } from './archive.ts';
import { itemsFileLost, LINES_OF_MEMBER, type ListedMember } from './items-member.ts';
import { layout } from './layout.ts';

/** Where an item stands in its manifest. */
const placeSchema = z.object({ job: z.string(), file: z.string(), line: z.int().exactOptional() });
export type ItemPlace = z.infer<typeof placeSchema>;
/** A line of `items-<digest>.jsonl.gz`, as far as it is needed. The rest is the item as it was enqueued. */
const lineSchema = placeSchema.extend({
  id: z.string(),
  name: z.string(),
  variant: z.int(),
  request: imageRequestSchema
    .pick({ provider: true, model: true, inputImage: true, inputImages: true, parameters: true })
    .strip()
    .exactOptional(),
  providers: itemSchema.shape.providers,
});
export type ListedItem = z.infer<typeof lineSchema>;

/** A stored items file: its name in the batch's folder, and its members, by which a part of it is read. */
export type ItemsFile = { name: string; members: readonly ListedMember[] };

export type ItemsFileWriter = {
  add(items: readonly (NewItem & { place?: ItemPlace })[]): Promise<void>;
  /** Stores it. */
  commit(): Promise<ItemsFile>;
  /** Removes what was written on this machine. Call it at the end, whatever came. */
  close(): Promise<void>;
};

const compressed = promisify(gzip);

/** The digest is in the name, so the lines wait in a temporary file until the last of them is known. */
export function itemsFileWriter(archive: Archive, batch: string): ItemsFileWriter {
  const path = temporaryPath(`flux-batch-items-${randomUUID()}.gz`);
  const hash = createHash('sha256');
  const members: ListedMember[] = [];
  let file: FileHandle | undefined;
  let lines: string[] = [];
  let priorities: Record<string, number> = {};
  let ways = new Set<SubmitWay>();
  let bytes = 0;

  async function endMember(): Promise<void> {
    const text = lines.join('');
    hash.update(text);
    const packed = await compressed(text, { level: 6 });
    file ??= await open(path, 'wx', 0o600).catch(refuseTemporary);
    await file.writeFile(packed);
    const place = { from: bytes, bytes: packed.length, lines: lines.length };
    members.push({ ...place, priorities, ways: SUBMIT_WAYS.filter((way) => ways.has(way)) });
    bytes += packed.length;
    lines = [];
    priorities = {};
    ways = new Set();
  }

  return {
    async add(items) {
      for (const { batch: _, place, ...item } of items) {
        const { id, name, ...others } = item;
        lines.push(`${JSON.stringify({ id, name, ...(place ?? { job: '', file: '' }), ...others })}\n`);
        priorities[item.priority] = (priorities[item.priority] ?? 0) + 1;
        ways.add(submitWayOf(item));
        if (lines.length === LINES_OF_MEMBER) await endMember();
      }
    },
    async commit() {
      if (lines.length > 0 || members.length === 0) await endMember();
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
      return { name, members };
    },
    async close() {
      await file?.close();
      await rm(path, { force: true });
    },
  };
}

/** Yields the lines of an items file in order. Throws a FluxError `items-file-lost` when it is missing or damaged. */
export async function* readItemsFile(archive: Archive, batch: string, name: string): AsyncGenerator<ListedItem> {
  const body = await archive.read(layout.folder(batch) + name);
  if (!body) throw itemsFileLost(archive, batch, name, 'is missing');
  try {
    for await (const line of linesOf(Readable.from([body]).pipe(createGunzip())))
      yield lineSchema.parse(JSON.parse(line));
  } catch (cause) {
    throw itemsFileLost(archive, batch, name, 'cannot be read', cause);
  }
}

/** Unlike readline, in every version of Node, it throws what the stream throws. */
async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const text of stream.setEncoding('utf8')) {
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}
