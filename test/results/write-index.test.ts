import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import sharp, { type Sharp } from 'sharp';
import { expect, test } from 'vitest';
import { folderArchive } from '../../src/archive/folder.ts';
import { recordsIn } from '../../src/archive/records.ts';
import type { ItemRecord } from '../../src/items/record.ts';
import { COLUMNS } from '../../src/results/row.ts';
import { writeIndex, writeIndexFiles } from '../../src/results/write-index.ts';
import { openS3 } from '../archive/buckets.ts';
import { listed } from '../archive/listed.ts';
import { newFolder } from './folders.ts';
import { archivedRecordOf, eachOf, failedRecordOf, PRICES, storeItem } from './sample-batch.ts';

test('writes a row for each item whatever its end, in the order of ids', async () => {
  const archive = folderArchive(await newFolder());
  const records = recordsIn(archive);
  await storeItem(archive, archivedRecordOf('spring', { name: 'b' }));
  await records.write(failedRecordOf('spring', 'c', 'no'));
  const { taskId, image, thumb, bytes, width, height, contentType, sha256, source, ...common } = archivedRecordOf(
    'spring',
    { name: 'a' },
  );
  await records.write({ ...common, state: 'queued' });
  await writeIndex('spring', { archive, records, prices: PRICES });

  const jsonl = (await archive.read('spring/results.jsonl'))
    ?.toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(jsonl?.map(({ name, state }) => `${name} ${state}`)).toEqual(['a queued', 'b archived', 'c failed']);
  expect(Object.keys(jsonl?.[0])).toEqual([...COLUMNS]);
  const csv = parse((await archive.read('spring/results.csv')) ?? '', { columns: true });
  expect(csv).toHaveLength(3);
  expect(csv[1]).toMatchObject({ name: 'b', state: 'archived', image: jsonl?.[1].image });
});

test('defuses formulas in the CSV', async () => {
  const archive = folderArchive(await newFolder());
  const evil = archivedRecordOf('spring', {
    request: { prompt: '=HYPERLINK("http://evil")', model: 'flux-kontext-pro', outputFormat: 'png' },
  });
  await writeIndexFiles('spring', eachOf([evil]), { archive, folder: '' });
  const csv = parse((await archive.read('results.csv')) ?? '', { columns: true });
  expect(csv[0]).toMatchObject({ prompt: '\'=HYPERLINK("http://evil")' });
});

test('defuses what would be a formula where lists have semicolons', async () => {
  const archive = folderArchive(await newFolder());
  const prompt = 'A cat;=cmd|\' /C calc\'!A0;"=1+2";+1\n=3;';
  const evil = archivedRecordOf('spring', {
    request: { prompt, model: 'flux-kontext-pro', outputFormat: 'png' },
  });
  await writeIndexFiles('spring', eachOf([evil]), { archive, folder: '' });
  const text = (await archive.read('results.csv'))?.toString() ?? '';
  for (const line of text.split('\n')) {
    const found: string[][] = parse(line, { delimiter: ';', quote: null, relax_column_count: true });
    for (const cell of found.flat()) expect(cell.replaceAll('"', '')).not.toMatch(/^[=+@-]/);
  }
  expect(text).toContain("A cat;'=cmd");
});

test('writes all of an index into a bucket, nothing of it when a record cannot be read', async () => {
  const archive = openS3();
  await archive.prepare();
  await storeItem(archive, archivedRecordOf('spring'));
  await writeIndex('spring', { archive, records: recordsIn(archive), prices: PRICES });
  const files = ['contact-sheet.webp', 'index.html', 'results.csv', 'results.jsonl'].map((name) => `spring/${name}`);
  expect((await listed(archive, 'spring/')).filter((key) => files.includes(key))).toEqual(files);

  const before = await archive.read('spring/results.csv');
  async function* breaking(): AsyncGenerator<ItemRecord> {
    yield archivedRecordOf('spring');
    throw new Error('broken');
  }
  await expect(writeIndexFiles('spring', breaking(), { archive, folder: 'spring/' })).rejects.toThrow('broken');
  expect(await archive.read('spring/results.csv')).toEqual(before);
});

test('puts the data of a large batch into parts beside the page', async () => {
  const archive = folderArchive(await newFolder());
  const many = Array.from({ length: 2_500 }, (_, n) => archivedRecordOf('spring', { name: `item-${n + 1}` }));
  await writeIndexFiles('spring', eachOf(many), { archive, folder: '' });
  expect(await listed(archive, 'gallery-data/')).toEqual([1, 2, 3].map((n) => `gallery-data/0000${n}.js`));
  expect((await archive.read('index.html'))?.length).toBeLessThan(150_000);
  expect((await archive.read('results.csv'))?.toString().split('\n')).toHaveLength(2_502);
});

test('makes a contact sheet of those pictures that are there', async () => {
  const folder = await newFolder();
  const archive = folderArchive(folder);
  const there = await storeItem(archive, archivedRecordOf('spring', { name: 'Ein <Leuchtturm> & 灯塔' }));
  await archive.write('spring/thumbs/broken.webp', Buffer.from('no picture'), { contentType: 'image/webp' });
  const broken = { ...there, thumb: 'spring/thumbs/broken.webp' };
  const gone = archivedRecordOf('spring', { name: 'gone' });
  await writeIndexFiles('spring', eachOf([there, broken, gone]), { archive, folder: 'spring/' });
  const sheet = await sharp(join(folder, 'spring', 'contact-sheet.webp')).metadata();
  expect(sheet).toMatchObject({ format: 'webp' });
  expect(sheet.width).toBeLessThan(400);
});

test('puts each picture of the sheet at the foot of its cell, clear ones on paper, and cuts long names off', async () => {
  const folder = await newFolder();
  const archive = folderArchive(folder);
  const red = { r: 200, g: 0, b: 0 };
  const stored = async (name: string, thumb: Sharp) => {
    const record = archivedRecordOf('spring', { name });
    await archive.write(record.thumb, await thumb.webp({ lossless: true }).toBuffer(), { contentType: 'image/webp' });
    return record;
  };
  const tall = await stored(
    'W'.repeat(60),
    sharp({ create: { width: 100, height: 200, channels: 3, background: red } }),
  );
  const clear = await stored(
    'clear',
    sharp({ create: { width: 220, height: 165, channels: 4, background: { ...red, alpha: 0 } } }),
  );
  await writeIndexFiles('spring', eachOf([tall, clear]), { archive, folder: 'spring/' });
  const { data, info } = await sharp(join(folder, 'spring', 'contact-sheet.webp'))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const isRed = (x: number, y: number) => (data[(y * info.width + x) * 3 + 1] ?? 0) < 100;
  const brightness = (x: number, y: number) => data[(y * info.width + x) * 3 + 1] ?? 0;
  // Margin 30, cell 220 × 165: the tall one is 83 wide in the middle, and reaches the cell's foot.
  expect([isRed(140, 40), isRed(140, 190), isRed(60, 100)]).toEqual([true, true, false]);
  const row = (from: number, to: number) => {
    const all = Array.from({ length: (to - from) * 20 }, (_, n) =>
      brightness(from + (n % (to - from)), 203 + Math.floor(n / (to - from))),
    );
    return Math.min(...all);
  };
  expect(row(30, 250)).toBeLessThan(180);
  // Nothing of the name in the gap to the next cell, and the clear picture is paper.
  expect(row(254, 262)).toBeGreaterThan(220);
  expect(brightness(376, 100)).toBeGreaterThan(235);
});
