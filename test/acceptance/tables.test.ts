import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recordsOf } from './archived.ts';
import { accepted } from './ledger.ts';
import { openPlace } from './place.ts';

/** Saved by LibreOffice itself: in a German locale with semicolons, as Windows-1252 or as UTF-16; in an English one with commas. */
const SAVED = 'test/tables/libreoffice';

test.concurrent.for<[string, string, string, number]>([
  ['a German spreadsheet', 'Produkte.csv', `${SAVED}/german-windows-1252.csv`, 3],
  ['a German spreadsheet in UTF-16', 'Produkte.csv', `${SAVED}/german-utf-16.csv`, 3],
  ['an English spreadsheet', 'products.csv', `${SAVED}/english-utf-8.csv`, 3],
  ['a workbook', 'products.xlsx', 'test/tables/products.xlsx', 3],
])('from %s to the gallery: init, run, and nothing read in between', async ([, name, saved, count], context) => {
  const place = await openPlace(context);
  const isWorkbook = name.endsWith('.xlsx');
  await copyFile(saved, join(place.folder, name));

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
  if (isWorkbook) expect(plan.stdout).toMatch(/\d empty rows? left out/);
  const { code, stderr } = await place.run(['run', manifest]);
  expect(code, stderr).toBe(0);
  expect(accepted(place)).toBe(count);
  const prompts = (await recordsOf(place, batch)).map(({ request }) => request.prompt);
  expect(prompts).toContain(isWorkbook ? '東京タワー' : 'Krügchen, rot');
  const gallery = await readFile(join(place.folder, 'archive', batch, 'index.html'), 'utf8');
  expect(gallery).toContain('Kr');
});
