import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openBatchRecords } from '../../src/archive/batch-records.ts';
import { compactSegments } from '../../src/archive/compact-segments.ts';
import { folderArchive } from '../../src/archive/folder.ts';
import { recordsIn } from '../../src/archive/records.ts';
import { segmentKeeper } from '../../src/archive/segment-keeper.ts';
import { readSegmentList } from '../../src/archive/segment-list.ts';
import type { ItemRecord } from '../../src/items/record.ts';
import { newFolder } from '../results/folders.ts';
import { archivedRecordOf, failedRecordOf } from '../results/sample-batch.ts';
import { BATCH, dyingAt, readBack, segmentKeys, store, truth } from './covered.ts';

test('killed between any two of its writes, a writer leaves what reads as the records do', async () => {
  const archive = folderArchive(await newFolder());
  let stored: ItemRecord[] = [];
  for (let dies = 1; ; dies++) {
    stored = await store(archive, 6 * dies);
    const mortal = dyingAt(archive, dies);
    const held = await openBatchRecords({ archive: mortal.archive, records: recordsIn(archive) }, BATCH, {
      fewestToCover: 1,
    });
    for await (const _ of held.all());
    const ended = await held.cover().then(
      () => true,
      () => false,
    );
    await held.close();
    expect((await readBack(archive)).all).toEqual(stored);
    if (ended) break;
    expect(mortal.writes()).toBe(dies);
  }
  expect((await readBack(archive)).reads).toBe(0);
});

test('killed between any two of its writes, who writes segments while a batch runs leaves what reads as the records do', async () => {
  for (let dies = 1; ; dies++) {
    const archive = folderArchive(await newFolder());
    const mortal = dyingAt(archive, dies);
    const told: string[] = [];
    const keeper = segmentKeeper(
      { archive: mortal.archive, records: recordsIn(archive), onTrouble: (_, why) => told.push(why) },
      4,
    );
    const stored = await store(archive, 9);
    for (const record of stored) keeper.note(record);
    // It goes on: a segment that has it as it ended says nothing of it.
    const failed = stored.find(({ state }) => state === 'failed');
    const { record: again } = await recordsIn(archive).update(BATCH, failed?.id ?? '', (now) => {
      if (now?.state !== 'failed') return undefined;
      const { failure, ...rest } = now;
      return { ...rest, state: 'queued' };
    });
    if (again) keeper.note(again);
    await keeper.flush(BATCH);
    expect((await readBack(archive)).all).toEqual(await truth(archive));
    if (told.length > 0) continue;
    // The last of nine waits for others, and the one that goes on is read.
    expect((await readBack(archive)).reads).toBeLessThanOrEqual(2);
    expect(await segmentKeys(archive)).toHaveLength(2);
    break;
  }
});

test('whatever comes in whatever order, a reader says what the records say', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('end' as const), item: fc.nat(7), fails: fc.boolean() }),
    fc.record({ kind: fc.constant('retry' as const), item: fc.nat(7) }),
    fc.record({ kind: fc.constant('cover' as const) }),
    fc.record({ kind: fc.constant('cover, killed' as const), dies: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ kind: fc.constant('compact' as const), dies: fc.integer({ min: 1, max: 6 }), later: fc.boolean() }),
    fc.record({ kind: fc.constant('lose a segment' as const), which: fc.nat(3) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      const archive = folderArchive(await newFolder());
      const records = recordsIn(archive);
      for (const one of steps) {
        if (one.kind === 'end') {
          const name = `item ${one.item}`;
          const { request } = archivedRecordOf(BATCH, { name });
          const id = archivedRecordOf(BATCH, { name, request }).id;
          const ended = one.fails ? { ...failedRecordOf(BATCH, name, 'no'), id } : archivedRecordOf(BATCH, { name });
          await records.update(BATCH, id, () => ended);
        } else if (one.kind === 'retry') {
          const { id } = archivedRecordOf(BATCH, { name: `item ${one.item}` });
          await records.update(BATCH, id, (now) => {
            if (now?.state !== 'failed') return undefined;
            const { failure, ...rest } = now;
            return { ...rest, state: 'queued', attempts: now.attempts + 1 };
          });
        } else if (one.kind === 'lose a segment') {
          const keys = await segmentKeys(archive);
          const key = keys[one.which % Math.max(1, keys.length)];
          if (key) await archive.remove(key);
        } else if (one.kind === 'compact') {
          const now = Date.now() + (one.later ? 7_200_000 : 0);
          await compactSegments(dyingAt(archive, one.dies).archive, BATCH, { now }).catch(() => {});
        } else {
          const mortal = one.kind === 'cover' ? archive : dyingAt(archive, one.dies).archive;
          const held = await openBatchRecords({ archive: mortal, records }, BATCH, { fewestToCover: 1 });
          for await (const _ of held.all());
          await held.cover().catch(() => 0);
          await held.close();
        }
        expect((await readBack(archive)).all).toEqual(await truth(archive));
      }
    }),
    { numRuns: 25 },
  );
});

test('many small segments are put together, and the old ones go when nobody can still read by the old list', async () => {
  const archive = folderArchive(await newFolder());
  let stored: ItemRecord[] = [];
  for (let round = 1; round <= 5; round++) {
    stored = await store(archive, 4 * round);
    await readBack(archive, { fewestToCover: 1 });
  }
  const written = await segmentKeys(archive);
  expect(written).toHaveLength(5);
  const oldReader = await openBatchRecords({ archive, records: recordsIn(archive) }, BATCH);
  const now = Date.now();
  await compactSegments(archive, BATCH, { now });
  const after = await segmentKeys(archive);
  expect(after).toHaveLength(1);
  const before = written.filter((key) => !after.includes(key));
  expect(await readBack(archive)).toMatchObject({ all: stored, reads: 0, told: [] });
  const all: string[] = [];
  for await (const { id } of oldReader.all()) all.push(id);
  expect(all).toHaveLength(stored.length);
  await compactSegments(archive, BATCH, { now: now + 3_000_000 });
  expect(await archive.read(before[0] ?? '')).toBeDefined();
  await compactSegments(archive, BATCH, { now: now + 4_000_000 });
  for (const key of before) expect(await archive.read(key)).toBeUndefined();
  expect((await readSegmentList(archive, BATCH)).former).toBeUndefined();
  expect(await readBack(archive)).toMatchObject({ all: stored, reads: 0, told: [] });
});

test('killed between any two of its writes, a compaction leaves what reads as the records do', async () => {
  for (let dies = 1; ; dies++) {
    const archive = folderArchive(await newFolder());
    let stored: ItemRecord[] = [];
    for (let round = 1; round <= 4; round++) {
      stored = await store(archive, 3 * round);
      await readBack(archive, { fewestToCover: 1 });
    }
    const mortal = dyingAt(archive, dies);
    let ended = true;
    for (const later of [0, 7_200_000]) {
      await compactSegments(mortal.archive, BATCH, { now: Date.now() + later }).catch(() => {
        ended = false;
      });
    }
    expect((await readBack(archive)).all).toEqual(stored);
    await compactSegments(archive, BATCH, { now: Date.now() });
    expect(await readBack(archive)).toMatchObject({ all: stored, reads: 0 });
    if (ended) break;
  }
});
