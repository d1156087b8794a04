import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recordsOf } from './archived.ts';
import { accepted } from './ledger.ts';
import { openPlace } from './place.ts';

/** What LibreOffice saves as CSV: in a German locale with semicolons, as Windows-1252 or as UTF-16; in an English one with commas. */
const ROWS = [
  ['sku', 'product', 'ratio'],
  ['007', 'Krügchen, rot', '1:1'],
  ['008', 'Vase "blau"', '3:4'],
  ['', '', ''],
];
const cell = (delimiter: string) => (text: string) =>
  text.includes(delimiter) || text.includes('"') ? `"${text.replaceAll('"', '""')}"` : text;
const saved = (delimiter: string) => `${ROWS.map((row) => row.map(cell(delimiter)).join(delimiter)).join('\n')}\n`;

test.concurrent.for<[string, string, Buffer | 'workbook', number]>([
  ['a German spreadsheet', 'Produkte.csv', Buffer.from(saved(';'), 'latin1'), 2],
  ['a German spreadsheet in UTF-16', 'Produkte.csv', Buffer.from(`\uFEFF${saved(';')}`, 'utf16le'), 2],
  ['an English spreadsheet', 'products.csv', Buffer.from(saved(',')), 2],
  ['a workbook', 'products.xlsx', 'workbook', 3],
])('from %s to the gallery: init, run, and nothing read in between', async ([, name, bytes, count], context) => {
  const place = await openPlace(context);
  if (bytes === 'workbook') await copyFile('test/tables/products.xlsx', join(place.folder, name));
  else await writeFile(join(place.folder, name), bytes);

  const refused = await place.run(['run', name]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(`${name} is a table, not a manifest`);
  const init = await place.run(['init', name]);
  expect(init.code, init.stderr).toBe(0);
  const manifest = name.replace(/\.\w+$/, '.yaml');
  const batch = manifest.slice(0, -'.yaml'.length).toLowerCase();
  expect(init.stderr).toContain(`flux-batch run ${manifest}`);

  const plan = await place.run(['plan', manifest]);
  expect(plan.stdout, plan.stderr).toContain(`${count} items from 1 job`);
  expect(plan.stdout).toMatch(/\d empty rows? left out/);
  const { code, stderr } = await place.run(['run', manifest]);
  expect(code, stderr).toBe(0);
  expect(accepted(place)).toBe(count);
  const prompts = (await recordsOf(place, batch)).map(({ request }) => request.prompt);
  expect(prompts).toContain(bytes === 'workbook' ? '東京タワー' : 'Krügchen, rot');
  const gallery = await readFile(join(place.folder, 'archive', batch, 'index.html'), 'utf8');
  expect(gallery).toContain('Kr');
});
