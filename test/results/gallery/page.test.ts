import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { folderArchive } from '../../../src/archive/folder.ts';
import type { ItemRecord } from '../../../src/items/record.ts';
import { writeIndexFiles } from '../../../src/results/write-index.ts';
import { pagesOfOneBrowser } from '../browser.ts';
import { newFolder } from '../folders.ts';
import { archivedRecordOf, eachOf, failedRecordOf, storeItem, type Wanted } from '../sample-batch.ts';

const openPage = pagesOfOneBrowser();
const COLORS = ['red', 'blue', 'green'];

/** Twelve pots of three colours, a hero in three variants and one that was refused. */
async function writeGallery(more: readonly Wanted[] = []): Promise<{ folder: string; page: string }> {
  const folder = await newFolder();
  const archive = folderArchive(folder);
  const pots = Array.from({ length: 12 }, (_, n) => {
    const color = COLORS[n % 3] ?? '';
    return { name: `pot-${color}-${n + 1}`, variables: { color, number: String(n + 1) } };
  });
  const heroes = [1, 2, 3].map((variant) => ({ name: 'hero', variant }));
  const records: ItemRecord[] = [];
  for (const wanted of [...heroes, ...pots, ...more]) {
    records.push(await storeItem(archive, archivedRecordOf('spring', wanted)));
  }
  records.push(failedRecordOf('spring', 'refused', 'Your prompt was flagged by moderation'));
  await writeIndexFiles('spring', eachOf(records), { archive, folder: 'spring/' });
  return { folder, page: join(folder, 'spring', 'index.html') };
}

const names = (page: Page) => page.locator('.tile .name').allTextContents();

test('opens from disk, shows every picture, and asks for nothing outside of its folder', async () => {
  const gallery = await writeGallery();
  const { page, requests, complaints } = await openPage(gallery.page);
  await page.waitForFunction("document.querySelectorAll('.frame.loaded img').length === 15");
  expect(await page.locator('h1').textContent()).toBe('spring');
  expect(await page.locator('.facts').textContent()).toContain('15 of 16 images');
  expect((await names(page)).slice(0, 4)).toEqual(['hero', 'hero', 'hero', 'pot-blue-2']);
  expect(await page.locator('.stub').textContent()).toContain('Refused by the content policy');
  expect(await page.locator('.stub').textContent()).toContain('flagged by moderation');

  await page.locator('.cell').first().click();
  await page.waitForFunction("document.querySelector('.stage img')?.naturalWidth === 40");
  await page.keyboard.press('Escape');
  const inside = `${pathToFileURL(gallery.folder)}/spring/`;
  expect(requests.filter((url) => !url.startsWith(inside))).toEqual([]);
  expect(complaints).toEqual([]);
});

test('filters by a variable and by state, and takes a filter back', async () => {
  const { page } = await openPage((await writeGallery()).page);
  await page.locator('.menu', { hasText: 'Color' }).locator('summary').click();
  await page.getByRole('checkbox', { name: 'red' }).check();
  expect(await names(page)).toEqual(['pot-red-1', 'pot-red-4', 'pot-red-7', 'pot-red-10']);
  await page.getByRole('checkbox', { name: 'green' }).check();
  expect(await page.locator('.shown').textContent()).toBe('8 of 16 items');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Remove Color: red' }).click();
  expect(await names(page)).toHaveLength(4);

  await page.getByRole('button', { name: 'Clear all' }).click();
  await page.locator('.menu', { hasText: 'State' }).locator('summary').click();
  await page.getByRole('checkbox', { name: 'Failed' }).check();
  expect(await names(page)).toEqual(['refused']);
});

test('searches prompts without case and accents, and says when nothing is like that', async () => {
  const request = { prompt: 'Un CAFÉ sur la place', model: 'flux-kontext-max', outputFormat: 'png' } as const;
  const { page } = await openPage((await writeGallery([{ name: 'paris', request }])).page);
  await page.keyboard.press('/');
  await page.keyboard.type('cafe place');
  expect(await names(page)).toEqual(['paris']);
  await page.keyboard.type(' zebra');
  expect(await names(page)).toEqual([]);
  await page.getByRole('button', { name: 'Show everything' }).click();
  expect(await names(page)).toHaveLength(17);
});

test('goes by keyboard from search to picture, through pictures, and back', async () => {
  const { page } = await openPage((await writeGallery()).page);
  await page.keyboard.press('/');
  await page.keyboard.type('pot');
  await page.keyboard.press('ArrowDown');
  expect(await focused(page)).toBe('pot-blue-2');
  await page.keyboard.press('ArrowRight');
  expect(await focused(page)).toBe('pot-blue-5');
  await page.keyboard.press('ArrowDown');
  const below = await focused(page);
  await page.keyboard.press('ArrowUp');
  expect(await focused(page)).toBe('pot-blue-5');
  expect(below).not.toBe('pot-blue-5');
  await page.keyboard.press('Enter');
  expect(await page.locator('aside h2').textContent()).toBe('pot-blue-5');
  await page.keyboard.press('ArrowRight');
  expect(await page.locator('aside h2').textContent()).toBe('pot-blue-8');
  await page.keyboard.press('Escape');
  expect(await page.locator('dialog[open]').count()).toBe(0);
  expect(await focused(page)).toBe('pot-blue-8');
});

const focused = (page: Page) => page.evaluate("document.activeElement?.querySelector('.name')?.textContent");

test('shows an item with its prompt, parameters, timings and ids', async () => {
  const hero = archivedRecordOf('spring', { name: 'hero' });
  const { page } = await openPage((await writeGallery()).page, { hash: `#${hero.id}` });
  const details = await page.locator('aside').textContent();
  for (const text of [
    'A picture of hero',
    'flux-kontext-pro',
    '4:3',
    'Generating',
    '9.5 s',
    hero.id,
    `task-${hero.id}`,
  ]) {
    expect(details).toContain(text);
  }
});

test('lays variants side by side', async () => {
  const { page } = await openPage((await writeGallery()).page);
  await page.locator('.cell').nth(1).click();
  await page.getByRole('button', { name: 'Compare 3 variants' }).click();
  expect(await page.locator('.side').count()).toBe(3);
  expect(await page.locator('.side.chosen').textContent()).toContain('Variant 2');
  await page.keyboard.press('ArrowRight');
  expect(await page.locator('.side.chosen').textContent()).toContain('Variant 3');
  await page.keyboard.press('Escape');
  expect(await page.locator('.side').count()).toBe(0);
  expect(await page.locator('dialog[open] .stage img').count()).toBe(1);
});

/** A half of a pair is replaced on its way from the browser to us. */
const LONE = /[\uD800\uFFFD]/;

test('hostile prompts, names and variables are only text', async () => {
  const hostile = [
    '</script><script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '"\'><svg onload=alert(1)>',
    '{{script}} $& $1 {alert(1)}',
    '<!--<script>',
    '\u202Edrawkcab\u2066',
    '\u2028\u2029\0\uD800',
    'javascript:alert(1)',
  ];
  const wanted = hostile.map((prompt) => ({
    name: prompt,
    variables: { [prompt]: prompt, __proto__x: 'y', constructor: prompt },
    request: { prompt, model: 'flux-kontext-pro', outputFormat: 'png', inputImage: prompt } as const,
  }));
  const { page, requests, complaints } = await openPage((await writeGallery(wanted)).page);
  for (const prompt of hostile) {
    await page.locator('#search').fill(prompt.slice(0, 30));
    const item = archivedRecordOf(
      'spring',
      wanted.find((one) => one.name === prompt),
    );
    await page.evaluate(`location.hash = ${JSON.stringify(item.id)}`);
    await page.locator('dialog[open]').waitFor();
    expect((await page.locator('.prompt p').textContent())?.replace(LONE, '')).toBe(prompt.replace(LONE, ''));
    await page.keyboard.press('Escape');
  }
  expect(complaints).toEqual([]);
  expect(requests.every((url) => url.startsWith('file:'))).toBe(true);
  expect(await page.locator('img[src=x], svg[onload]').count()).toBe(0);
});

test('a large batch comes in parts, of which only what is near the screen is drawn', async () => {
  const folder = await newFolder();
  const archive = folderArchive(folder);
  const many = Array.from({ length: 2_300 }, (_, n) =>
    archivedRecordOf('spring', { name: `item-${n + 1}`, variables: { color: COLORS[n % 3] ?? '' } }),
  );
  const stored = await storeItem(archive, archivedRecordOf('spring', { name: 'the-picture' }));
  const records = many.map((record) => ({ ...record, image: stored.image, thumb: stored.thumb }));
  await writeIndexFiles('spring', eachOf(records), { archive, folder: 'spring/' });
  const { page, complaints } = await openPage(join(folder, 'spring', 'index.html'));
  await page.waitForFunction("document.querySelector('.shown')?.textContent === '2,300 items'");
  expect(await page.locator('.tile').count()).toBeLessThan(120);
  await page.locator('.cell').first().focus();
  await page.keyboard.press('End');
  expect(await focused(page)).toBe('item-2300');
  await page.locator('#search').fill('item-1234');
  expect(await names(page)).toEqual(['item-1234']);
  expect(complaints).toEqual([]);
});

test('has a name for everything that can be reached, and fits a phone', async () => {
  const { page } = await openPage((await writeGallery()).page, { viewport: { width: 360, height: 740 } });
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
  const nameless = () => page.evaluate(NAMELESS);
  expect(await nameless()).toEqual([]);
  await page.locator('.cell').first().click();
  expect(await nameless()).toEqual([]);
  expect(await page.evaluate("document.querySelector('dialog').scrollWidth")).toBeLessThanOrEqual(360);
});

const NAMELESS = `[...document.querySelectorAll('button, a, input, select, img')].filter((element) => {
  const own = element.getAttribute('aria-label') ?? element.getAttribute('alt') ?? element.textContent;
  return !own && !element.closest('label')?.textContent && !element.querySelector('img')?.alt;
}).map((element) => element.outerHTML)`;
