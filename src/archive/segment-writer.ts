import type { Archive } from './archive.ts';
import { layout } from './layout.ts';
import type { MarkedRecord } from './records.ts';
import { encodeSegment, MOST_ITEMS } from './segment.ts';
import { type SegmentEntry, updateSegmentList } from './segment-list.ts';

/** Fewer records are read one by one as quickly. */
export const FEWEST_ITEMS = 200;

export type SegmentWriter = {
  /** Keeps a record that has ended, to be written with others. */
  add(found: MarkedRecord): Promise<void>;
  /** Writes what is left, where it is worth a segment, and lists all that was written. Resolves with how many items that is. */
  commit(): Promise<number>;
};

/**
 * Writes ended records into segments: first the records, then the segment, last the list. A segment that a crash has left unlisted
 * is read by nobody. Throws the archive's errors.
 */
export function segmentWriter(archive: Archive, batch: string, fewest = FEWEST_ITEMS): SegmentWriter {
  const written: SegmentEntry[] = [];
  let held: MarkedRecord[] = [];
  const flush = async () => {
    const records = held;
    held = [];
    written.push(await writeSegment(archive, batch, records));
  };
  return {
    async add(found) {
      if (found.mark === '') return;
      held.push(found);
      if (held.length >= MOST_ITEMS) await flush();
    },
    async commit() {
      if (held.length >= fewest || (held.length > 0 && written.length > 0)) await flush();
      if (written.length > 0) await listSegments(archive, batch, written);
      return written.reduce((sum, { items }) => sum + items, 0);
    },
  };
}

/** Its name is the digest of its bytes: one that is there already is the same, or damaged. */
export async function writeSegment(
  archive: Archive,
  batch: string,
  records: readonly MarkedRecord[],
): Promise<SegmentEntry> {
  const { name, body, items, ids } = await encodeSegment(records);
  await archive.write(layout.segment(batch, name), body, { contentType: 'application/gzip' });
  return { name, items, bytes: body.length, ids };
}

async function listSegments(archive: Archive, batch: string, added: readonly SegmentEntry[]): Promise<void> {
  const names = new Set(added.map(({ name }) => name));
  await updateSegmentList(archive, batch, ({ former = [], ...list }) => {
    // It was compacted away and has come again: who collects it must not.
    const left = former.filter(({ name }) => !names.has(name));
    const others = list.segments.filter(({ name }) => !names.has(name));
    return { ...list, segments: [...others, ...added], ...(left.length > 0 && { former: left }) };
  });
}
