import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { folderArchive } from '../../src/archive/folder.ts';
import { layout } from '../../src/archive/layout.ts';
import { readRecords } from '../../src/archive/read-records.ts';
import { recordsIn } from '../../src/archive/records.ts';
import { COLUMNS } from '../../src/results/row.ts';
import { parseWhere } from '../../src/results/where.ts';
import { writeIndex } from '../../src/results/write-index.ts';
import { openS3 } from '../archive/buckets.ts';
import { newFolder } from './folders.ts';
import { archivedRecordOf, PRICES, storeItem } from './sample-batch.ts';

const archives = {
  'a folder': async () => folderArchive(await newFolder()),
  'a bucket': async () => {
    const archive = openS3();
    await archive.prepare();
    return archive;
  },
};

describe.each(['a folder', 'a bucket'] as const)('a record in %s that is cut off', (kind) => {
  async function openBatch() {
    const archive = await archives[kind]();
    await storeItem(archive, archivedRecordOf('spring', { name: 'a' }));
    const { id, taskId } = await storeItem(archive, archivedRecordOf('spring', { name: 'b' }));
    await storeItem(archive, archivedRecordOf('spring', { name: 'c' }));
    const key = layout.record('spring', id);
    const whole = (await archive.read(key))?.toString() ?? '';
    const cut = whole.slice(0, whole.indexOf(taskId) + taskId.length + 1);
    await archive.write(key, Buffer.from(cut), { contentType: 'application/json' });
    return { archive, records: recordsIn(archive), id, taskId, key, cut };
  }

  test('has its row in every form of the index, beside those of the others, and is left as it is', async () => {
    const { archive, records, id, taskId, key, cut } = await openBatch();
    const { unreadable } = await writeIndex('spring', { archive, records, prices: PRICES });
    expect(unreadable).toMatchObject([{ state: 'unreadable', id, key, taskId }]);

    const read = async (name: string) => (await archive.read(`spring/${name}`))?.toString() ?? '';
    const rows = (await read('results.jsonl'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.map(({ state }) => state)).toEqual(['archived', 'unreadable', 'archived']);
    expect(Object.keys(rows[1])).toEqual([...COLUMNS]);
    expect(rows[1]).toMatchObject({ id, name: id, taskId, failureClass: 'record-corrupt', image: null });
    expect(rows[1].failureMessage).toContain(key);
    expect(parse(await read('results.csv'), { columns: true })[1]).toMatchObject({ id, state: 'unreadable', taskId });
    expect(await read('index.html')).toContain('"unreadable":1');
    expect(await read(`items/${id}.json`)).toBe(cut);
  });

  test('can be asked for by its state', async () => {
    const { records, id } = await openBatch();
    const where = parseWhere(['state=unreadable', 'failure=record-corrupt', 'name!=a']);
    const found: string[] = [];
    for await (const one of readRecords(records, 'spring', records.list('spring')))
      if (where.matches(one)) found.push(one.id);
    expect(found).toEqual([id]);
  });
});

test.each([
  ['a folder', (path: string) => mkdir(path)],
  ['a circle of links', (path: string) => symlink(path, path)],
  ['a link to nothing', (path: string) => symlink('nothing.json', path)],
])('%s in the place of a record has its row in the index', async (_, put) => {
  const archive = await archives['a folder']();
  const { id } = await storeItem(archive, archivedRecordOf('spring', { name: 'a' }));
  await storeItem(archive, archivedRecordOf('spring', { name: 'b' }));
  const path = join(archive.url, layout.record('spring', id));
  await rm(path);
  await put(path);
  const { unreadable } = await writeIndex('spring', { archive, records: recordsIn(archive), prices: PRICES });
  expect(unreadable).toMatchObject([{ state: 'unreadable', id }]);
  expect((await archive.read('spring/results.jsonl'))?.toString().trim().split('\n')).toHaveLength(2);
});
