import { expect, test } from 'vitest';
import { enqueueManifest } from '../../src/batch/enqueue.ts';
import { restoredBatch } from '../../src/batch/restore.ts';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
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
  const { records } = rig.connections;
  const read: typeof records.read = (batch, id, signal) => {
    reads.set(id, (reads.get(id) ?? 0) + 1);
    return records.read(batch, id, signal);
  };
  return { ...rig, file, credits, reads, connections: { ...rig.connections, records: { ...records, read } } };
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
