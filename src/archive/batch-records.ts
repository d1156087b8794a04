import { pMapIterable, pMapSkip } from 'p-map';
import { hasEnded } from '../items/record.ts';
import type { Found } from '../items/unreadable.ts';
import type { Archive } from './archive.ts';
import { type BatchListing, byCodeUnits, listBatch } from './batch-listing.ts';
import { findRecord, READ_AHEAD } from './read-records.ts';
import { readSegments } from './read-segments.ts';
import { type RecordSpool, recordSpool } from './record-spool.ts';
import type { Records } from './records.ts';
import { readSegmentList } from './segment-list.ts';
import { type SegmentWriter, segmentWriter } from './segment-writer.ts';

/** The records of a batch as one listing has them. What a segment has of a record that is still the same is not read. */
export type BatchRecords = {
  readonly size: number;
  has(id: string): boolean;
  /** In the listing, from 0. */
  place(id: string): number | undefined;
  /** The ids in byte order. */
  ids(): readonly string[];
  /** Every record once: those of segments, then the others in the order of ids. Holds a few segments at a time. Throws the archive's errors. */
  all(): AsyncGenerator<Found>;
  /** The records of these items in their order, read ahead. One that has gone meanwhile is left out. Throws the archive's errors. */
  these(ids: Iterable<string>): AsyncIterable<Found>;
  /**
   * Writes segments of the ended records that had to be read one by one, where they are worth it. Resolves with how many. Throws the
   * archive's errors.
   */
  cover(): Promise<number>;
  /** Removes what was written on this machine. */
  close(): Promise<void>;
};

export type BatchRecordsOptions = {
  signal?: AbortSignal | undefined;
  /** Told of a segment that is lost or damaged: its items are read one by one. */
  onDamaged?: ((why: string) => void) | undefined;
  /** Records are kept for `cover` where so many were read; absent: none are. */
  fewestToCover?: number;
};

/** Of so many and more that a command had to read one by one it is worth writing segments, for whoever comes next. */
export const FEWEST_TO_COVER = 2_000;

type Ports = { archive: Archive; records: Pick<Records, 'read' | 'readMarked'> };

/** Reads the list of segments, then lists the records. Throws the archive's errors. */
export async function openBatchRecords(
  { archive, records }: Ports,
  batch: string,
  { signal, onDamaged = () => {}, fewestToCover }: BatchRecordsOptions = {},
): Promise<BatchRecords> {
  const { segments } = await readSegmentList(archive, batch, signal);
  const listing = await listBatch(archive, batch, segments, signal);
  const { places } = listing;
  const writer = fewestToCover === undefined ? undefined : segmentWriter(archive, batch, fewestToCover);
  const readOne = writer
    ? readAndKeep({ records, batch, signal }, places, writer)
    : (id: string) => findRecord(records, batch, id, signal);
  let sorted: readonly string[] | undefined;
  let spooled: Promise<RecordSpool> | undefined;

  const fromSegments = (seen: Uint8Array) =>
    readSegments({ archive, batch, onDamaged, signal }, segments, isSame(listing, seen));
  const readAll = (ids: Iterable<string>, known?: RecordSpool) =>
    pMapIterable(ids, async (id) => known?.get(id) ?? (await readOne(id)) ?? pMapSkip, { concurrency: READ_AHEAD });

  async function spool(): Promise<RecordSpool> {
    const spool = recordSpool();
    for await (const { record } of fromSegments(new Uint8Array(places.size))) spool.add(record);
    return spool;
  }

  return {
    size: places.size,
    has: (id) => places.has(id),
    place: (id) => places.get(id),
    ids() {
      sorted ??= [...places.keys()].sort(byCodeUnits);
      return sorted;
    },
    async *all() {
      const seen = new Uint8Array(places.size);
      for await (const { record } of fromSegments(seen)) yield record;
      const others = [...places].flatMap(([id, place]) => (seen[place] === 0 ? [id] : []));
      yield* readAll(others.sort(byCodeUnits));
    },
    async *these(ids) {
      spooled ??= spool();
      yield* readAll(ids, await spooled);
    },
    cover: async () => (await writer?.commit()) ?? 0,
    close: async () => (await spooled?.catch(() => undefined))?.close(),
  };
}

/** Whether a line is of a record as it still is, the first time. It is noted in `seen`, by its place. */
function isSame({ places, marks }: BatchListing, seen: Uint8Array) {
  return ({ id, mark }: { id: string; mark: string }): boolean => {
    const place = places.get(id);
    if (place === undefined || seen[place] === 1 || marks[place] !== mark) return false;
    seen[place] = 1;
    return true;
  };
}

type Reading = { records: Pick<Records, 'readMarked'>; batch: string; signal: AbortSignal | undefined };

/** Reads a record and gives it to the writer, once. */
function readAndKeep({ records, batch, signal }: Reading, places: BatchListing['places'], writer: SegmentWriter) {
  const kept = new Uint8Array(places.size);
  return async (id: string): Promise<Found | undefined> => {
    const read = async () => {
      const found = await records.readMarked(batch, id, signal);
      const place = places.get(id);
      if (found && place !== undefined && kept[place] === 0 && hasEnded(found.record)) {
        kept[place] = 1;
        await writer.add(found);
      }
      return found?.record;
    };
    return findRecord({ read }, batch, id, signal);
  };
}
