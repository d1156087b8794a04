import { type FileHandle, open } from 'node:fs/promises';
import { createInflateRaw } from 'node:zlib';

/** The end of a zip file: its record has 22 bytes, and a comment of at most 64 kB (PKWARE's APPNOTE, 4.3.16). */
const END_BYTES = 22;
const MOST_COMMENT = 0xffff;
const END = 0x06054b50;
const ENTRY = 0x02014b50;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const MOST_DIRECTORY = 16 * 2 ** 20;
const [STORED, DEFLATED] = [0, 8];

export type ZipParts = {
  /** The names of all parts. */
  names: readonly string[];
  /** The text of a part, in pieces; nothing for one that is not there. */
  text(name: string): AsyncGenerator<string>;
  close(): Promise<void>;
};

/** Opens the parts of a zip file, such as a workbook. Undefined where it is of a kind that is not read here (zip64, encrypted). */
export async function openZip(path: string): Promise<ZipParts | undefined> {
  const file = await open(path);
  const entries = await directoryOf(file).catch(() => undefined);
  if (!entries) {
    await file.close();
    return undefined;
  }
  return {
    names: [...entries.keys()],
    async *text(name) {
      const entry = entries.get(name);
      if (!entry) return;
      const decoder = new TextDecoder();
      for await (const bytes of bytesOf(file, entry)) yield decoder.decode(bytes, { stream: true });
      yield decoder.decode();
    },
    close: () => file.close(),
  };
}

type Entry = { method: number; bytes: number; at: number };

async function directoryOf(file: FileHandle): Promise<Map<string, Entry> | undefined> {
  const { size } = await file.stat();
  const tail = await read(file, Math.max(0, size - END_BYTES - MOST_COMMENT), Math.min(size, END_BYTES + MOST_COMMENT));
  let end = tail.length - END_BYTES;
  while (end >= 0 && tail.readUInt32LE(end) !== END) end--;
  if (end < 0) return undefined;
  const [bytes, at] = [tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)];
  if (bytes > MOST_DIRECTORY || at + bytes > size) return undefined;
  const directory = await read(file, at, bytes);
  const entries = new Map<string, Entry>();
  for (let from = 0; from + ENTRY_BYTES <= directory.length && directory.readUInt32LE(from) === ENTRY; ) {
    const [named, extra, comment] = [28, 30, 32].map((place) => directory.readUInt16LE(from + place));
    const name = directory.toString('utf8', from + ENTRY_BYTES, from + ENTRY_BYTES + (named ?? 0));
    const isEncrypted = (directory.readUInt16LE(from + 8) & 1) === 1;
    if (!isEncrypted) {
      const method = directory.readUInt16LE(from + 10);
      entries.set(name, { method, bytes: directory.readUInt32LE(from + 20), at: directory.readUInt32LE(from + 42) });
    }
    from += ENTRY_BYTES + (named ?? 0) + (extra ?? 0) + (comment ?? 0);
  }
  return entries;
}

async function* bytesOf(file: FileHandle, { method, bytes, at }: Entry): AsyncGenerator<Buffer> {
  const local = await read(file, at, LOCAL_BYTES);
  const start = at + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
  if (bytes === 0 || (method !== STORED && method !== DEFLATED)) return;
  const raw = file.createReadStream({ start, end: start + bytes - 1, autoClose: false });
  yield* method === STORED ? raw : raw.pipe(createInflateRaw());
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
