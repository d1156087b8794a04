import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { expect, test } from 'vitest';
import { folderArchive } from '../../src/archive/folder.ts';
import { bringShards } from '../../src/commands/results-shards.ts';
import { parquetOf } from '../../src/results/parquet.ts';
import { COLUMNS, rowOf } from '../../src/results/row.ts';
import { writeShards } from '../../src/results/webdataset.ts';
import { newFolder } from './folders.ts';
import { archivedRecordOf, eachOf, failedRecordOf, storeItem } from './sample-batch.ts';

test('another program reads the rows of a Parquet file as results.jsonl has them, in groups and with types', async () => {
  const rows = [
    ...Array.from({ length: 7 }, (_, n) =>
      rowOf({ ...archivedRecordOf('spring', { name: `hero ${n} 灯塔`, variant: n + 1 }), bytes: 900_000 + n }),
    ),
    rowOf(failedRecordOf('spring', 'teapot', 'no, "=1+2"')),
    rowOf({ state: 'unreadable', batch: 'spring', id: 'x', key: 'spring/items/x.json', message: 'cut off' }),
  ];
  const path = join(await newFolder(), 'spring.parquet');
  const parts: Uint8Array[] = [];
  for await (const part of parquetOf(eachOf(rows), 4)) parts.push(part);
  expect(parts).toHaveLength(4);
  await writeFile(path, Buffer.concat(parts));

  const read = await parquetReadObjects({ file: await asyncBufferFromFile(path) });
  const times = new Set(['queued', 'submitted', 'completed', 'discovered', 'archived']);
  const asText = (row: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        times.has(name) ? (value instanceof Date ? value.toISOString() : '') : value,
      ]),
    );
  const expected = rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, times.has(name) ? (value ?? '') : value])),
  );
  expect(read.map(asText)).toEqual(expected);
  expect(Object.keys(read[0] ?? {})).toEqual([...COLUMNS]);
});

test('a Parquet file without rows is one all the same', async () => {
  const path = join(await newFolder(), 'empty.parquet');
  const parts: Uint8Array[] = [];
  for await (const part of parquetOf(eachOf([]))) parts.push(part);
  await writeFile(path, Buffer.concat(parts));
  expect(await parquetReadObjects({ file: await asyncBufferFromFile(path) })).toEqual([]);
});

test('tar lists each image beside its row, shards stay below their size, and what is lost is told', async () => {
  const archive = folderArchive(await newFolder());
  const stored = [];
  for (let n = 0; n < 6; n++) stored.push(await storeItem(archive, archivedRecordOf('spring', { name: `hero ${n}` })));
  const lost = archivedRecordOf('spring', { name: 'gone' });
  const folder = await newFolder();
  const told: string[] = [];
  const names = await writeShards(
    eachOf([...stored, lost, failedRecordOf('spring', 'teapot', 'no')]),
    archive,
    folderArchive(folder),
    {
      batch: 'spring',
      mostBytes: 6_000,
      signal: new AbortController().signal,
      onImage: ({ kind, item }) => told.push(`${kind} ${item}`),
    },
  );
  expect(names.length).toBeGreaterThan(1);
  expect(names[0]).toBe('spring-000000.tar');
  const entries = names.map((name) =>
    execFileSync('tar', ['-tf', join(folder, name)], { encoding: 'utf8' })
      .trim()
      .split('\n'),
  );
  expect(entries.flat()).toEqual(stored.flatMap(({ id }) => [`${id}.png`, `${id}.json`]));
  const [first] = stored;
  execFileSync('tar', ['-xf', join(folder, names[0] ?? ''), '-C', folder]);
  expect(readFileSync(join(folder, `${first?.id}.png`))).toEqual(await archive.read(first?.image ?? ''));
  expect(JSON.parse(readFileSync(join(folder, `${first?.id}.json`), 'utf8'))).toMatchObject({ id: first?.id });
  expect(told).toEqual([...stored.map(({ id }) => `brought ${id}`), `lost ${lost.id}`]);
});

test('a folder with the shards of a selection takes no other one', async () => {
  const archive = folderArchive(await newFolder());
  const stored = await storeItem(archive, archivedRecordOf('spring', { name: 'hero' }));
  const out = await newFolder();
  const bring = () => bringShards(out, { batch: 'spring', archive, chosen: () => eachOf([stored]) });
  expect(await bring()).toBe(0);
  await expect(bring()).rejects.toMatchObject({ code: 'shards-there', hint: expect.stringContaining('--out') });
});

test('a shard that is given up leaves nothing behind', async () => {
  const archive = folderArchive(await newFolder());
  const stored = [];
  for (let n = 0; n < 30; n++) stored.push(await storeItem(archive, archivedRecordOf('spring', { name: `hero ${n}` })));
  const folder = await newFolder();
  const stop = new AbortController();
  const asked = writeShards(eachOf(stored), archive, folderArchive(folder), {
    batch: 'spring',
    signal: stop.signal,
    onImage: () => stop.abort(),
  });
  await expect(asked).rejects.toThrow();
  expect(await readdir(folder)).toEqual([]);
});
