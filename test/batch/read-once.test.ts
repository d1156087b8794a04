import { expect, test } from 'vitest';
import type { Archive } from '../../src/archive/archive.ts';
import { openBatchRecords } from '../../src/archive/batch-records.ts';
import { layout } from '../../src/archive/layout.ts';
import { recordsIn } from '../../src/archive/records.ts';
import { withOneLook } from '../../src/batch/batch-look.ts';
import { enqueueManifest } from '../../src/batch/enqueue.ts';
import { recountCharges } from '../../src/batch/recount-charges.ts';
import { restoredBatch } from '../../src/batch/restore.ts';
import { submitsToCome } from '../../src/batch/submits-to-come.ts';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
import { chargingRecords } from '../../src/money/charging-records.ts';
import { BATCH, openRig, prompts } from './rig.ts';

/** A batch that has ended, and Redis emptied after it; `reads` has how often each record was read since. */
async function lost(count: number) {
  const rig = await openRig();
  const file = await rig.manifest(prompts(count));
  await rig.enqueue(file);
  const fleet = await rig.work();
  const { credits } = await rig.ended();
  await fleet.drain();
  await rig.flush();
  const reads = new Map<string, number>();
  const { archive } = rig.connections;
  const counted =
    <Found>(read: (key: string, signal?: AbortSignal) => Promise<Found>) =>
    (key: string, signal?: AbortSignal) => {
      if (key.startsWith(layout.records(BATCH))) reads.set(key, (reads.get(key) ?? 0) + 1);
      return read(key, signal);
    };
  let listings = 0;
  const watched: Archive = {
    ...archive,
    readVersioned: counted(archive.readVersioned),
    readMarked: counted(archive.readMarked),
    marks(prefix, options) {
      listings += 1;
      return archive.marks(prefix, options);
    },
    async *list(prefix, signal) {
      listings += 1;
      yield* archive.list(prefix, signal);
    },
  };
  const { prices, spending } = rig.connections;
  const records = chargingRecords(recordsIn(watched), prices, spending.record);
  const connections = { ...rig.connections, archive: watched, records };
  return { ...rig, file, credits, reads, listings: () => listings, connections };
}

test('a finished batch that Redis has lost is taken in again by one read of each record', async () => {
  const { connections, counts, file, reads, credits } = await lost(5);
  const { manifest } = await openManifest(file);
  expect(await enqueueManifest(connections, manifest, expand(manifest))).toEqual({ items: 5, submits: 0, polls: 0 });
  expect(await counts()).toMatchObject({ items: { archived: 5 }, credits });
  expect([...reads.values()]).toEqual([1, 1, 1, 1, 1]);
});

test('a batch that is restored from the archive is read once, too, with what it has cost', async () => {
  const { connections, reads, credits } = await lost(3);
  expect(await restoredBatch(connections, BATCH)).toMatchObject({ items: { archived: 3 }, credits });
  expect([...reads.values()]).toEqual([1, 1, 1]);
});

test('with segments no record of it is read, and whoever asks, counts and takes in shares one listing', async () => {
  const { connections: opened, counts, file, reads, listings, credits } = await lost(5);
  const held = await openBatchRecords(opened, BATCH, { fewestToCover: 1 });
  for await (const _ of held.all());
  expect(await held.cover()).toBe(5);
  reads.clear();
  const before = listings();
  const { manifest } = await openManifest(file);
  const connections = withOneLook(opened, BATCH);
  expect(await submitsToCome(connections, BATCH, expand(manifest))).toEqual({});
  const seen = await recountCharges(connections, BATCH);
  const wanted = { ...manifest, ...(seen && { archived: seen }) };
  expect(await enqueueManifest(connections, wanted, expand(manifest))).toEqual({ items: 5, submits: 0, polls: 0 });
  expect(await counts()).toMatchObject({ items: { archived: 5 }, credits });
  expect([...reads]).toEqual([]);
  expect(listings() - before).toBe(1);
});
