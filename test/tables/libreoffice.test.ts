import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
import { collected, written } from '../manifest/written.ts';

const rows = (half: string) => [
  `007 (${half}): A krügchen, rot`,
  `008 (${half.replace('12', '1234')}): A vase "blau"`,
  '009 (3): A käsemesser',
];

it.each([
  ['german-windows-1252.csv', rows('12,5'), ['Windows-1252', 'semicolons']],
  ['german-utf-16.csv', rows('12,5'), ['UTF-16', 'semicolons']],
  ['english-utf-8.csv', rows('12.5'), []],
  ['english-mac-roman.csv', rows('12.5'), ['Mac Roman', 'tabs']],
  ['products.xlsx', rows('12.5'), []],
])('%s, as LibreOffice saved it, has its numbers, letters and calculated formulas', async (name, expected, notes) => {
  const job = { id: '{{ sku }} ({{ price }})', prompt: '{{ label }}', rows: name };
  const folder = await written({ 'jobs.yaml': JSON.stringify({ version: 1, batch: 'b', jobs: [job] }) });
  await copyFile(fileURLToPath(new URL(`libreoffice/${name}`, import.meta.url)), join(folder, name));
  const { manifest, totals } = await openManifest(join(folder, 'jobs.yaml'));
  const items = await collected(expand(manifest));
  expect(items.map((item) => `${item.name}: ${item.request.prompt}`)).toEqual(expected);
  expect(totals.notes).toHaveLength(notes.length);
  for (const [index, note] of notes.entries()) expect(totals.notes[index]).toContain(note);
});
