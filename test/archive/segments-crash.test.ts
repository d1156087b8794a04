import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openBatchRecords } from '../../src/archive/batch-records.ts';
import { folderArchive } from '../../src/archive/folder.ts';
import { recordsIn } from '../../src/archive/records.ts';
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

test('whatever comes in whatever order, a reader says what the records say', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('end' as const), item: fc.nat(7), fails: fc.boolean() }),
    fc.record({ kind: fc.constant('retry' as const), item: fc.nat(7) }),
    fc.record({ kind: fc.constant('cover' as const) }),
    fc.record({ kind: fc.constant('cover, killed' as const), dies: fc.integer({ min: 1, max: 3 }) }),
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
