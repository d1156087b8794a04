import type { Archive } from './archive.ts';
import { itemOfRecordKey, layout } from './layout.ts';
import type { SegmentEntry } from './segment-list.ts';

/** The ids that have a record, each with its place in the listing; `marks` are in that order. */
export type BatchListing = { places: ReadonlyMap<string, number>; marks: readonly string[] };

/** Shares that a listing is read in, where a batch is larger than a page. */
const SHARES = 16;
const PAGE = 1_000;

/** Lists a batch's records once, in shares where its segments tell how to part them. Throws the archive's errors. */
export async function listBatch(
  archive: Archive,
  batch: string,
  segments: readonly SegmentEntry[],
  signal: AbortSignal | undefined,
): Promise<BatchListing> {
  const places = new Map<string, number>();
  const marks: string[] = [];
  await archive.marks(layout.records(batch), {
    splits: splitsOf(segments).map((id) => layout.record(batch, id)),
    signal,
    onPage: (page) => {
      for (const { key, mark } of page) {
        if (!key.endsWith('.json')) continue;
        const id = itemOfRecordKey(batch, key);
        if (places.has(id)) continue;
        places.set(id, marks.length);
        marks.push(mark);
      }
    },
  });
  return { places, marks };
}

/** The ids under a prefix whose files are named by them, one page after another. Throws the archive's errors. */
export async function listIds(
  archive: Archive,
  prefix: string,
  segments: readonly SegmentEntry[],
  { onId, signal }: { onId: (id: string) => void; signal?: AbortSignal },
): Promise<void> {
  await archive.marks(prefix, {
    splits: splitsOf(segments).map((id) => prefix + id),
    signal,
    onPage: (page) => {
      for (const { key } of page) onId(key.slice(prefix.length, key.lastIndexOf('.')));
    },
  });
}

/** Ids that part the batch into about equal shares, by what the segments tell of theirs. */
function splitsOf(segments: readonly SegmentEntry[]): string[] {
  const items = segments.reduce((sum, segment) => sum + segment.items, 0);
  const shares = Math.min(SHARES, Math.ceil(items / (2 * PAGE)));
  const ids = [...new Set(segments.flatMap((segment) => segment.ids))].sort(byCodeUnits);
  const places = Array.from({ length: Math.max(0, shares - 1) }, (_, share) =>
    Math.floor(((share + 1) * ids.length) / shares),
  );
  return places.flatMap((place) => ids[place] ?? []);
}

/** Ids are ASCII, of which this is the order of bytes. */
export function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
