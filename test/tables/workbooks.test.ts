import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeXlsx } from 'hucre/xlsx';
import { expect, it } from 'vitest';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
import { collected, mistakesOf, written } from '../manifest/written.ts';

const job = (rows: string) =>
  `version: 1\nbatch: b\njobs:\n  - id: "{{ sku }}"\n    prompt: "{{ product }}"\n    rows: ${rows}\n`;

it('a sheet that a workbook does not have is named', async () => {
  const folder = await written({ 'jobs.yaml': job('{ file: r.xlsx, sheet: vases }') });
  await copyFile(fileURLToPath(new URL('products.xlsx', import.meta.url)), join(folder, 'r.xlsx'));
  const opening = openManifest(join(folder, 'jobs.yaml'));
  await expect(opening).rejects.toThrow('r.xlsx: has no sheet "vases", or it is empty');
});

it('a time of day is text, and empty columns between others are left out', async () => {
  const rows = [
    [null, 'sku', null, 'product'],
    [null, 1, null, new Date(Date.UTC(1899, 11, 31, 12, 30))],
  ];
  const workbook = await writeXlsx({ sheets: [{ name: 'One', rows }] });
  const folder = await written({ 'jobs.yaml': job('r.xlsx'), 'r.xlsx': Buffer.from(workbook) });
  const { manifest } = await openManifest(join(folder, 'jobs.yaml'));
  const items = await collected(expand(manifest));
  expect(items.map(({ name, request }) => `${name}: ${request.prompt}`)).toEqual(['1: 12:30']);
});

it('a formula that nobody has calculated is a mistake with its cell, where the column is used', async () => {
  const rows = [
    ['sku', 'product', 'sum'],
    [1, 'Vase', null],
    [2, null, null],
    [3, 'Lamp', null],
  ];
  const cells = new Map([
    ['1,2', { formula: 'A2*2' }],
    ['2,1', { formula: '"Lamp"&A3' }],
    ['3,1', { formula: '"La"&"mp"', formulaResult: 'Lamp' }],
  ]);
  const sheets = [
    { name: 'Other', rows: [['sku'], [1]] },
    { name: 'One & two', rows, cells },
  ];
  const workbook = Buffer.from(await writeXlsx({ sheets }));
  const files = { 'jobs.yaml': job('{ file: r.xlsx, sheet: One & two }'), 'r.xlsx': workbook };
  expect(await mistakesOf(files)).toEqual([
    'r.xlsx:3  jobs[0].rows: cell B3 has a formula that nobody has calculated, and no value; open the workbook in a spreadsheet, and save it',
  ]);
});
