import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
import { collected, mistakesOf, written } from '../manifest/written.ts';

const MANIFEST = 'version: 1\nbatch: b\njobs:\n  - id: "{{ sku }}"\n    prompt: "{{ product }}"\n    rows: r.csv\n';

async function open(table: Buffer) {
  const folder = await written({ 'jobs.yaml': MANIFEST, 'r.csv': table });
  const { manifest, totals } = await openManifest(join(folder, 'jobs.yaml'));
  const items = await collected(expand(manifest));
  return { rows: items.map(({ name, request }) => `${name}: ${request.prompt}`), notes: totals.notes };
}

/** As spreadsheets on a Mac save it. */
const macRoman = (text: string) =>
  Buffer.from([...text].map((character) => MAC_ROMAN[character] ?? character.charCodeAt(0)));
const MAC_ROMAN: Readonly<Record<string, number>> = { ä: 0x8a, é: 0x8e, ö: 0x9a, ü: 0x9f, ß: 0xa7, '’': 0xd5 };

describe('a spreadsheet that is not UTF-8', () => {
  it('is read in Mac Roman, and that is told with a word', async () => {
    const found = await open(macRoman('sku;product\r\n1;Krügchen, rot\r\n2;Vase\r\n'));
    expect(found.rows).toEqual(['1: Krügchen, rot', '2: Vase']);
    expect(found.notes[0]).toContain('r.csv: read as Mac Roman, since it is not UTF-8: "Krügchen"');
  });

  it('in what may be Windows-1252 or Mac Roman is refused with its line, and with both', async () => {
    const bytes = macRoman('sku;product\n1;Vase\n2;schöne Vase\n');
    expect(await mistakesOf({ 'jobs.yaml': MANIFEST, 'r.csv': bytes })).toEqual([
      'r.csv:3  jobs[0].rows: is not UTF-8 text, and may be "schšne" as Windows-1252, "schöne" as Mac Roman; save it as UTF-8',
    ]);
  });

  it.each(['don’t in Café', 'Straße', 'l’été', 'Käse, grün'])('by its words: %s in Mac Roman', async (text) => {
    const found = await open(macRoman(`sku;product\n1;"Vase; ${text} é"\n`));
    expect(found.rows[0]).toContain(text);
  });

  it.each([
    [[0xc9, ...Buffer.from('COLE '), 0xe9, ...Buffer.from('cole')], 'ÉCOLE école'],
    [
      [...Buffer.from('l'), 0x92, 0xe9, ...Buffer.from('t'), 0xe9, ...Buffer.from(' c'), 0x9c, ...Buffer.from('ur')],
      'l’été cœur',
    ],
    [
      [...Buffer.from('10 '), 0x80, ...Buffer.from(' f'), 0xfc, ...Buffer.from('r '), 0xc4, ...Buffer.from('pfel')],
      '10 € für Äpfel',
    ],
  ])('by its words: %j in Windows-1252', async (bytes, text) => {
    const table = Buffer.concat([Buffer.from('sku;product\n1;'), Buffer.from(bytes), Buffer.from('\n')]);
    expect((await open(table)).rows).toEqual([`1: ${text}`]);
  });
});
