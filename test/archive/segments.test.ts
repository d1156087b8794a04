import { hash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Archive } from '../../src/archive/archive.ts';
import { folderArchive } from '../../src/archive/folder.ts';
import { layout } from '../../src/archive/layout.ts';
import { recordsIn } from '../../src/archive/records.ts';
import { newFolder } from '../results/folders.ts';
import { archivedRecordOf } from '../results/sample-batch.ts';
import { openS3 } from './buckets.ts';
import { BATCH, readBack, segmentKeys, store, truth } from './covered.ts';

const STORES = [
  ['a folder', async () => folderArchive(await newFolder())],
  [
    'a bucket',
    async () => {
      const archive = openS3();
      await archive.prepare();
      return archive;
    },
  ],
] as const;

describe.each(STORES)('in %s', (_, open) => {
  test('ended records that were read once are not read again', async () => {
    const archive = await open();
    const stored = await store(archive, 30);
    expect(await readBack(archive, { fewestToCover: 1 })).toMatchObject({ all: stored, reads: 30, covered: 30 });
    expect(await readBack(archive)).toMatchObject({ all: stored, reads: 0, told: [] });
  });

  test('a record that was changed after its segment is read', async () => {
    const archive = await open();
    const stored = await store(archive, 12);
    await readBack(archive, { fewestToCover: 1 });
    const failed = stored.find(({ state }) => state === 'failed');
    const { written } = await recordsIn(archive).update(BATCH, failed?.id ?? '', (now) =>
      now?.state === 'failed' ? { ...now, state: 'held' } : undefined,
    );
    expect(written).toBe(true);
    const added = archivedRecordOf(BATCH, { name: 'one more' });
    await recordsIn(archive).write(added);
    const { all, reads } = await readBack(archive, { fewestToCover: 1 });
    expect(all).toEqual(await truth(archive));
    expect(reads).toBe(2);
    expect(await readBack(archive)).toMatchObject({ all, reads: 0 });
  });

  test('records that live are read, and are in no segment', async () => {
    const archive = await open();
    const [first] = await store(archive, 3);
    const { taskId, image, thumb, bytes, width, height, contentType, sha256, source, ...common } = archivedRecordOf(
      BATCH,
      { name: 'live' },
    );
    await recordsIn(archive).write({ ...common, state: 'queued' });
    expect(first).toBeDefined();
    expect(await readBack(archive, { fewestToCover: 1 })).toMatchObject({ reads: 4, covered: 3 });
    expect(await readBack(archive)).toMatchObject({ reads: 1 });
  });
});

describe('costs time and never truth:', () => {
  async function covered(count = 12) {
    const archive = folderArchive(await newFolder());
    const stored = await store(archive, count);
    await readBack(archive, { fewestToCover: 1 });
    const [key = ''] = await segmentKeys(archive);
    return { archive, stored, key };
  }

  const resealed = async (archive: Archive, key: string, text: string) => {
    const body = gzipSync(text);
    const name = hash('sha256', body, 'hex').slice(0, 16);
    await archive.write(layout.segment(BATCH, name), body, { contentType: 'application/gzip' });
    const list = (await archive.read(layout.segmentList(BATCH)))?.toString() ?? '';
    const was = key.slice(layout.segments(BATCH).length, -'.jsonl.gz'.length);
    await archive.write(layout.segmentList(BATCH), Buffer.from(list.replace(was, name)), {
      contentType: 'application/json',
    });
  };

  test.each<[string, (archive: Archive, key: string, body: Buffer) => Promise<void>]>([
    ['a segment that is lost', (archive, key) => archive.remove(key)],
    [
      'one that is cut off',
      (archive, key, body) => archive.write(key, body.subarray(0, -20), { contentType: 'application/gzip' }),
    ],
    [
      'one that is no gzip',
      (archive, key) => archive.write(key, Buffer.from('<html>'), { contentType: 'application/gzip' }),
    ],
    [
      'one whose line is no record',
      (archive, key, body) => resealed(archive, key, `${gunzipSync(body).toString()}{"mark":"a"}\n`),
    ],
    [
      'one of another batch',
      (archive, key, body) => resealed(archive, key, gunzipSync(body).toString().replaceAll('"spring"', '"autumn"')),
    ],
    [
      'one without its last line feed',
      (archive, key, body) => resealed(archive, key, gunzipSync(body).toString().trim()),
    ],
  ])('%s', async (_, damage) => {
    const { archive, stored, key } = await covered();
    await damage(archive, key, (await archive.read(key)) ?? Buffer.alloc(0));
    const { all, told } = await readBack(archive, { fewestToCover: 1 });
    expect(all).toEqual(stored);
    expect(told).not.toEqual([]);
    // What was read one by one is written anew.
    expect((await readBack(archive)).reads).toBe(0);
  });

  test.each(['', '{', '{"version":2,"segments":[]}', '{"version":1,"segments":[{"name":"../../x","items":1}]}'])(
    'a list that is %j',
    async (text) => {
      const { archive, stored } = await covered();
      await archive.write(layout.segmentList(BATCH), Buffer.from(text), { contentType: 'application/json' });
      expect(await readBack(archive, { fewestToCover: 1 })).toMatchObject({ all: stored, reads: 12 });
      expect((await readBack(archive)).reads).toBe(0);
    },
  );

  test('a segment that was never listed', async () => {
    const { archive, stored } = await covered();
    await archive.remove(layout.segmentList(BATCH));
    expect(await readBack(archive)).toMatchObject({ all: stored, reads: 12 });
  });
});

test('a batch of before, without segments, is read as ever, and who only reads writes nothing', async () => {
  const archive = folderArchive(await newFolder());
  const stored = await store(archive, 5);
  expect(await readBack(archive)).toMatchObject({ all: stored, reads: 5, covered: 0 });
  expect(await archive.read(layout.segmentList(BATCH))).toBeUndefined();
});

test('few records are left as they are: a segment of them would save nothing', async () => {
  const archive = folderArchive(await newFolder());
  await store(archive, 5);
  expect(await readBack(archive, { fewestToCover: 6 })).toMatchObject({ covered: 0 });
  expect(await archive.read(layout.segmentList(BATCH))).toBeUndefined();
});
