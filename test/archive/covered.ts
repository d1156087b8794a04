import { expect } from 'vitest';
import type { Archive } from '../../src/archive/archive.ts';
import { openBatchRecords } from '../../src/archive/batch-records.ts';
import { layout } from '../../src/archive/layout.ts';
import { recordsIn } from '../../src/archive/records.ts';
import { readSegmentList } from '../../src/archive/segment-list.ts';
import type { ItemRecord } from '../../src/items/record.ts';
import { archivedRecordOf, failedRecordOf } from '../results/sample-batch.ts';

export const BATCH = 'spring';

/** Counts the records that are read one by one, by their ids. */
function counted(archive: Archive) {
  const reads: string[] = [];
  const noted =
    <Found>(read: (key: string, signal?: AbortSignal) => Promise<Found>) =>
    (key: string, signal?: AbortSignal) => {
      if (key.startsWith(layout.records(BATCH))) reads.push(key);
      return read(key, signal);
    };
  const watched: Archive = {
    ...archive,
    read: noted(archive.read),
    readVersioned: noted(archive.readVersioned),
    readMarked: noted(archive.readMarked),
  };
  return { archive: watched, reads };
}

/** What a reader says of the batch, in both of its ways, and how many records it had to read one by one. */
export async function readBack(archive: Archive, { fewestToCover }: { fewestToCover?: number } = {}) {
  const { archive: watched, reads } = counted(archive);
  const told: string[] = [];
  const options = { onDamaged: (why: string) => told.push(why), ...(fewestToCover !== undefined && { fewestToCover }) };
  const held = await openBatchRecords({ archive: watched, records: recordsIn(watched) }, BATCH, options);
  try {
    const all = [];
    for await (const found of held.all()) all.push(found);
    all.sort((a, b) => (a.id < b.id ? -1 : 1));
    const readFirst = reads.length;
    const inOrder = [];
    for await (const found of held.these(held.ids())) inOrder.push(found);
    expect(inOrder).toEqual(all);
    const covered = await held.cover();
    return { all, reads: readFirst, told, covered };
  } finally {
    await held.close();
  }
}

/** What the records themselves say. */
export async function truth(archive: Archive): Promise<ItemRecord[]> {
  const records = recordsIn(archive);
  const found: ItemRecord[] = [];
  for await (const id of records.list(BATCH)) {
    const record = await records.read(BATCH, id);
    if (record) found.push(record);
  }
  return found;
}

const recordsOf = (count: number) =>
  Array.from({ length: count }, (_, n) =>
    n % 3 === 2 ? failedRecordOf(BATCH, `item ${n}`, 'no') : archivedRecordOf(BATCH, { name: `item ${n}` }),
  );

export async function store(archive: Archive, count: number): Promise<ItemRecord[]> {
  const records = recordsIn(archive);
  const stored = recordsOf(count);
  await Promise.all(stored.map((record) => records.write(record)));
  return stored.sort((a, b) => (a.id < b.id ? -1 : 1));
}

export const segmentKeys = async (archive: Archive) =>
  (await readSegmentList(archive, BATCH)).segments.map(({ name }) => layout.segment(BATCH, name));

/** Ends, as a killed process does, with the n-th write: what came before it is there, and it and all after it are not. */
export function dyingAt(archive: Archive, dies: number): { archive: Archive; writes: () => number } {
  let writes = 0;
  const fatal =
    <Args extends unknown[], Result>(write: (...args: Args) => Promise<Result>) =>
    (...args: Args) => {
      writes += 1;
      return writes >= dies ? Promise.reject(new Error('killed')) : write(...args);
    };
  const { write, create, replace, remove } = archive;
  return {
    archive: { ...archive, write: fatal(write), create: fatal(create), replace: fatal(replace), remove: fatal(remove) },
    writes: () => writes,
  };
}
