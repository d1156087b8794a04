import { execFileSync } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { expect, test } from 'vitest';
import { folderArchive } from '../../src/archive/folder.ts';
import { layout } from '../../src/archive/layout.ts';
import { recordsIn } from '../../src/archive/records.ts';
import { adoptImage } from '../../src/batch/adopt.ts';
import { imagesOf } from '../../src/items/images.ts';
import { type CollectedImage, collect } from '../../src/results/collect.ts';
import { namedForPeople } from '../../src/results/file-names.ts';
import { formatRows } from '../../src/results/format.ts';
import { rowOf } from '../../src/results/row.ts';
import { writeShards } from '../../src/results/webdataset.ts';
import { writeIndex, writeIndexFiles } from '../../src/results/write-index.ts';
import { pagesOfOneBrowser } from './browser.ts';
import { newFolder } from './folders.ts';
import { archivedRecordOf, eachOf, PRICES, storeItem } from './sample-batch.ts';

const SIGNAL = new AbortController().signal;
const openPage = pagesOfOneBrowser();

/** A folder with an item of one image, and one whose task made four, of which the third could not be had. */
async function withFour() {
  const folder = await newFolder();
  const archive = folderArchive(folder);
  const single = await storeItem(archive, archivedRecordOf('spring', { name: 'single' }));
  const own = archivedRecordOf('spring', { name: 'hero' });
  const more = [];
  for (const number of [2, 4]) {
    const place = {
      image: layout.image('spring', own.id, 'png', number),
      thumb: layout.thumb('spring', own.id, number),
    };
    const { image, thumb, bytes, width, height, contentType, sha256, source } = await storeItem(archive, {
      ...archivedRecordOf('spring', { name: `other ${number}` }),
      ...place,
      id: own.id,
    });
    more.push({ number, image, thumb, bytes, width, height, contentType, sha256, source });
  }
  const stored = await storeItem(archive, own);
  const lost = [{ number: 3, failure: { class: 'expired' as const, message: 'The image is gone' } }];
  const hero = { ...stored, more, lost };
  await recordsIn(archive).write(hero);
  return { folder, archive, single, hero };
}

async function formatted(rows: ReturnType<typeof rowOf>[], format: 'json' | 'csv' | 'parquet') {
  const parts: Uint8Array[] = [];
  for await (const part of formatRows(eachOf(rows), format)) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

test('JSON has an item with its further images, and says nothing new of one image; CSV and Parquet have a row for each', async () => {
  const { single, hero } = await withFour();
  const rows = [rowOf({ ...single, standing: standing(5) }), rowOf({ ...hero, standing: standing(20) })];
  const [one, four]: Record<string, unknown>[] = JSON.parse((await formatted(rows, 'json')).toString('utf8'));
  expect(one).toHaveProperty('imageNumber', null);
  for (const name of ['more', 'lost']) expect(one).not.toHaveProperty(name);
  expect(four).toMatchObject({ image: hero.image, imageNumber: 1, more: hero.more });
  expect(four?.lost).toEqual([{ number: 3, failureClass: 'expired', failureMessage: 'The image is gone' }]);
  expect(four?.imageNote).toMatch(/^image 3 of 4 could not be had \(expired\)/);

  const csv: Record<string, string>[] = parse(await formatted(rows, 'csv'), { columns: true });
  const keys = [single.image, ...imagesOf(hero).map(({ image }) => image)];
  expect(csv.map(({ image }) => image)).toEqual(keys);
  expect(csv.map(({ imageNumber }) => imageNumber)).toEqual(['', '1', '2', '4']);
  expect(csv.map(({ id }) => id)).toEqual([single.id, hero.id, hero.id, hero.id]);
  expect(csv.map(({ credits }) => credits)).toEqual(['5', '20', '', '']);

  const path = join(await newFolder(), 'spring.parquet');
  await writeFile(path, await formatted(rows, 'parquet'));
  const read = await parquetReadObjects({ file: await asyncBufferFromFile(path) });
  expect(read.map(({ image }) => image)).toEqual(keys);
  expect(read.map(({ imageNumber }) => imageNumber)).toEqual([null, 1, 2, 4]);
});

const standing = (credits: number) => ({
  ...{ current: true, order: null, job: null, file: null, line: null, take: 1 },
  credits,
});

test('WebDataset has a sample for each image, with its own row', async () => {
  const { archive, single, hero } = await withFour();
  const folder = await newFolder();
  const options = { batch: 'spring', signal: SIGNAL, onImage: () => {} };
  const [shard = ''] = await writeShards(eachOf([single, hero]), archive, folderArchive(folder), options);
  execFileSync('tar', ['-xf', join(folder, shard), '-C', folder]);
  const samples = [single.id, hero.id, `${hero.id}_2`, `${hero.id}_4`];
  expect((await readdir(folder)).filter((name) => name !== shard).sort()).toEqual(
    samples.flatMap((name) => [`${name}.json`, `${name}.png`]).sort(),
  );
  const second = JSON.parse(await readFile(join(folder, `${hero.id}_2.json`), 'utf8'));
  expect(second).toMatchObject({ id: hero.id, imageNumber: 2, sha256: hero.more[0]?.sha256 });
  expect(await readFile(join(folder, `${hero.id}_2.png`))).toEqual(await archive.read(hero.more[0]?.image ?? ''));
});

test('results brought home have all images, kept the second time, and the index of the folder names them as they lie there', async () => {
  const { archive, single, hero } = await withFour();
  const out = await newFolder();
  const bring = async () => {
    const kinds: CollectedImage['kind'][] = [];
    const to = folderArchive(out);
    const records = collect(eachOf([single, hero]), archive, to, {
      ...{ nameOf: namedForPeople(), width: 2, signal: SIGNAL },
      onImage: ({ kind }) => kinds.push(kind),
    });
    await writeIndexFiles('spring', records, { archive: to, folder: '' });
    return kinds;
  };
  expect(await bring()).toEqual(Array(4).fill('brought'));
  expect(await bring()).toEqual(Array(4).fill('kept'));
  const rows: Record<string, string>[] = parse(await readFile(join(out, 'results.csv')), { columns: true });
  expect(rows.map(({ image }) => image)).toEqual(['single-1.png', 'hero-1.png', 'hero-1_2.png', 'hero-1_4.png']);
  for (const { image = '', thumb = '' } of rows) {
    expect((await readFile(join(out, image))).length).toBeGreaterThan(0);
    expect((await readFile(join(out, thumb))).length).toBeGreaterThan(0);
  }
});

test('an index says which of the images is not there', async () => {
  const { folder, archive, hero } = await withFour();
  const ports = { archive, records: recordsIn(archive), prices: PRICES };
  expect((await writeIndex('spring', ports)).missing).toEqual([]);
  const [, second] = imagesOf(hero);
  await rm(join(folder, second?.image ?? ''));
  expect((await writeIndex('spring', ports)).missing).toEqual([{ id: hero.id, key: second?.image }]);
});

test('an item that takes over the images of another has all of them', async () => {
  const { archive, hero } = await withFour();
  const records = recordsIn(archive);
  const { name, variant, variables, priority, request } = hero;
  const item = { batch: 'summer', id: 'hero-ba9876543210', name, variant, variables, priority, request };
  expect(await adoptImage({ archive, records }, hero, item)).toBe(true);
  const adopted = await records.read('summer', item.id);
  if (adopted?.state !== 'archived') throw new Error('Expected it to be archived');
  expect(imagesOf(adopted).map(({ image }) => image)).toEqual([
    'summer/images/hero-ba9876543210.png',
    'summer/images/hero-ba9876543210_2.png',
    'summer/images/hero-ba9876543210_4.png',
  ]);
  for (const [index, { image, thumb }] of imagesOf(adopted).entries()) {
    expect(await archive.read(image)).toEqual(await archive.read(imagesOf(hero)[index]?.image ?? ''));
    expect(await archive.read(thumb)).toBeDefined();
  }
});

test('the gallery has a card for each image, which opens it, and says which could not be had', async () => {
  const { folder, archive, single, hero } = await withFour();
  await writeIndexFiles('spring', eachOf([single, hero]), { archive, folder: 'spring/' });
  const { page, complaints } = await openPage(join(folder, 'spring', 'index.html'));
  await page.waitForFunction("document.querySelectorAll('.frame.loaded img').length === 4");
  expect(await page.locator('.tile .caption').allTextContents()).toEqual([
    'hero1 · 1',
    'hero1 · 2',
    'hero1 · 4',
    'single',
  ]);
  expect(await page.locator('.facts').textContent()).toContain('2 images2 further images');
  await page.locator('.cell').nth(1).click();
  await page.waitForFunction("document.querySelector('.stage img')?.naturalWidth === 40");
  expect(await page.locator('.stage img').getAttribute('src')).toBe(`./images/${hero.id}_2.png`);
  expect(await page.locator('aside').textContent()).toContain('Variant 1, image 2 of 4');
  expect(page.url()).toMatch(new RegExp(`#${hero.id}_2$`));
  await page.keyboard.press('ArrowLeft');
  expect(await page.locator('aside').textContent()).toContain('image 3 of 4 could not be had (expired)');
  expect(complaints).toEqual([]);
});
