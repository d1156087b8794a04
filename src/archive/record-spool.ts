import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { refuseTemporary, temporaryPath } from '../files/temporary.ts';
import type { ItemRecord } from '../items/record.ts';

/** The first of them stay in memory, about 20 MB. */
const MOST_IN_MEMORY = 10_000;
const WRITE_BYTES = 2 ** 20;

/** Records that were read in one order and are wanted in another. */
export type RecordSpool = {
  add(record: ItemRecord): void;
  get(id: string): ItemRecord | undefined;
  /** Removes what was written on this machine. */
  close(): Promise<void>;
};

/** `memory`: how many are held; the others wait as text in a temporary file of this user, about 1 KB each. */
export function recordSpool(memory = MOST_IN_MEMORY): RecordSpool {
  const held = new Map<string, ItemRecord>();
  const places = new Map<string, { at: number; bytes: number }>();
  const path = temporaryPath(`flux-batch-records-${randomUUID()}`);
  let file: number | undefined;
  let [waiting, waitingBytes, written]: [Buffer[], number, number] = [[], 0, 0];

  const begin = () => {
    try {
      return openSync(path, 'wx+', 0o600);
    } catch (error) {
      return refuseTemporary(error);
    }
  };
  const flush = () => {
    if (waiting.length === 0) return;
    file ??= begin();
    const all = Buffer.concat(waiting);
    for (let done = 0; done < all.length; ) done += writeSync(file, all, done, all.length - done, written + done);
    written += all.length;
    [waiting, waitingBytes] = [[], 0];
  };

  return {
    add(record) {
      if (held.size < memory) {
        held.set(record.id, record);
        return;
      }
      const text = Buffer.from(JSON.stringify(record));
      places.set(record.id, { at: written + waitingBytes, bytes: text.length });
      waiting.push(text);
      waitingBytes += text.length;
      if (waitingBytes >= WRITE_BYTES) flush();
    },
    get(id) {
      const place = places.get(id);
      if (!place) return held.get(id);
      flush();
      if (file === undefined) return undefined;
      const text = Buffer.allocUnsafe(place.bytes);
      readSync(file, text, 0, place.bytes, place.at);
      // It was parsed before it was written here.
      const record: ItemRecord = JSON.parse(text.toString('utf8'));
      return record;
    },
    async close() {
      if (file === undefined) return;
      closeSync(file);
      file = undefined;
      await rm(path, { force: true });
    },
  };
}
