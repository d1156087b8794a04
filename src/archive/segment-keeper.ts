import pLimit from 'p-limit';
import pMap from 'p-map';
import { messageOf } from '../errors.ts';
import { hasEnded, type ItemRecord } from '../items/record.ts';
import type { Archive } from './archive.ts';
import type { MarkedRecord, Records } from './records.ts';
import { FEWEST_ITEMS, segmentWriter } from './segment-writer.ts';

/** So large that it need not be put together with others. */
const AT_ONCE = 2_500;
/** Of all batches, about 20 MB. */
const MOST_HELD = 10_000;
const READS_AT_ONCE = 8;

/** Writes segments of what this process ends, while its batch runs. What is held when it dies is read one by one by whoever wants it. */
export type SegmentKeeper = {
  /** Told of each record that was written here. */
  note(record: ItemRecord): void;
  /** Writes what is held of a batch, where it is worth a segment. Never rejects. */
  flush(batch: string): Promise<void>;
  flushAll(): Promise<void>;
};

type Ports = {
  archive: Archive;
  records: Pick<Records, 'readMarked' | 'markOf'>;
  /** Told why a segment was not written. */
  onTrouble: (batch: string, why: string) => void;
};

type Held = { id: string; known: MarkedRecord | undefined };

/** `atOnce`: so many make a segment. */
export function segmentKeeper({ archive, records, onTrouble }: Ports, atOnce = AT_ONCE): SegmentKeeper {
  const batches = new Map<string, Map<string, Held>>();
  /** One at a time: it is work for idle time. */
  const inTurn = pLimit(1);
  let sum = 0;

  function take(batch: string): Held[] {
    const held = [...(batches.get(batch)?.values() ?? [])];
    batches.delete(batch);
    sum -= held.length;
    return held;
  }
  async function write(batch: string, held: readonly Held[]): Promise<void> {
    if (held.length < Math.min(FEWEST_ITEMS, atOnce)) return;
    try {
      const writer = segmentWriter(archive, batch, 1);
      // It may have gone on since: then it says so itself.
      const read = async ({ id, known }: Held) => known ?? (await records.readMarked(batch, id).catch(() => undefined));
      for (const found of await pMap(held, read, { concurrency: READS_AT_ONCE }))
        if (found && hasEnded(found.record)) await writer.add(found);
      await writer.commit();
    } catch (error) {
      onTrouble(batch, messageOf(error));
    }
  }
  function flush(batch: string): Promise<void> {
    const held = take(batch);
    return inTurn(() => write(batch, held));
  }
  function largest(): string | undefined {
    return [...batches].sort(([, a], [, b]) => b.size - a.size)[0]?.[0];
  }

  return {
    note(record) {
      const { batch, id } = record;
      const held = batches.get(batch) ?? new Map<string, Held>();
      if (!hasEnded(record)) {
        if (held.delete(id)) sum -= 1;
        return;
      }
      if (!held.has(id)) sum += 1;
      const mark = records.markOf(record);
      held.set(id, { id, known: mark === undefined ? undefined : { record, mark } });
      batches.set(batch, held);
      const full = held.size >= atOnce ? batch : sum > MOST_HELD ? largest() : undefined;
      if (full !== undefined) void flush(full);
    },
    flush,
    async flushAll() {
      await Promise.all([...batches.keys()].map(flush));
    },
  };
}

/** The same records, for whom `note` is told of each that is written. */
export function notedRecords(records: Records, note: (record: ItemRecord) => void): Records {
  return {
    ...records,
    async update(batch, item, change, known) {
      const changed = await records.update(batch, item, change, known);
      if (changed.written && changed.record) note(changed.record);
      return changed;
    },
  };
}
