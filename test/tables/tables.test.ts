import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
import { collected, type Files, mistakesOf, written } from '../manifest/written.ts';

const WORKBOOK = fileURLToPath(new URL('products.xlsx', import.meta.url));
const head = 'version: 1\nbatch: b\njobs:\n';
const job = (rows: string, id = '{{ sku }}', prompt = '{{ product }}') =>
  `${head}  - id: "${id}"\n    prompt: "${prompt}"\n    rows: ${rows}\n`;

async function opened(folder: string) {
  const { manifest, totals } = await openManifest(join(folder, 'jobs.yaml'));
  const items = await collected(expand(manifest));
  return {
    rows: items.map(({ name, request }) => `${name}: ${request.prompt}`),
    notes: totals.notes.map((note) => note.replaceAll(`${folder}/`, '')),
    items,
  };
}
const open = async (files: Files) => opened(await written(files));

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const utf16 = (text: string, { mark = true, isBig = false } = {}) => {
  const bytes = Buffer.from(`${mark ? '\uFEFF' : ''}${text}`, 'utf16le');
  return isBig ? bytes.swap16() : bytes;
};
const TABLE = 'sku;product\r\n1;Krügchen, rot\r\n2;Vase\r\n';
const ROWS = ['1: Krügchen, rot', '2: Vase'];

describe('a spreadsheet saved as text', () => {
  it.each<[string, string | Buffer, ...string[]]>([
    ['with semicolons', TABLE, 'r.csv: columns are separated by semicolons'],
    ['with tabs', TABLE.replaceAll(';', '\t'), 'r.csv: columns are separated by tabs'],
    ['that says what separates it', `sep=;\r\n${TABLE}`, 'r.csv: columns are separated by semicolons'],
    [
      'in Windows-1252',
      latin1(TABLE),
      'r.csv: read as Windows-1252, since it is not UTF-8: "Krügchen"',
      'r.csv: columns are separated by semicolons',
    ],
    ['in UTF-16', utf16(TABLE), 'r.csv: read as UTF-16', 'r.csv: columns are separated by semicolons'],
    [
      'in UTF-16, big-endian',
      utf16(TABLE, { isBig: true }),
      'r.csv: read as UTF-16',
      'r.csv: columns are separated by semicolons',
    ],
    [
      'in UTF-16 without a mark',
      utf16(TABLE, { mark: false }),
      'r.csv: read as UTF-16, by its bytes: it has no byte order mark',
      'r.csv: columns are separated by semicolons',
    ],
    ['with the line ends of old Macs', 'sku,product\r1,"Krügchen, rot"\r2,Vase\r'],
    ['with rows of empty cells', `sku,product\n1,"Krügchen, rot"\n,\n2,Vase\n,\n , \n`, 'r.csv: 3 empty rows left out'],
    ['with empty columns at its end', 'sku,product,,\n1,"Krügchen, rot",,\n2,Vase\n'],
    [
      'by pandas, with its index',
      ',sku,product\n0,1,"Krügchen, rot"\n17,2,Vase\n',
      'r.csv: the first column, numbers without a name, is left out',
    ],
  ])('%s is read, and what it does not say itself is told', async (_, text, ...notes) => {
    const found = await open({ 'jobs.yaml': job('r.csv'), 'r.csv': text });
    expect(found.rows).toEqual(ROWS);
    expect(found.notes).toEqual(notes);
  });

  it('may have letters of many kinds across chunks', async () => {
    const rows = Array.from({ length: 20_000 }, (_, n) => `${n};Krügchen 東京 🏮 ${n}`);
    const found = await open({ 'jobs.yaml': job('r.csv'), 'r.csv': utf16(['sku;product', ...rows].join('\n')) });
    expect(found.rows).toEqual(rows.map((row) => row.replace(';', ': ')));
  });

  it.each<[string, Buffer]>([
    ['Shift JIS', Buffer.from([...Buffer.from('1;'), 0x93, 0x8c, 0x8b, 0x9e, 0x83, 0x5e, 0x83, 0x8f, 0x81, 0x5b])],
    ['Windows-1251', Buffer.from([...Buffer.from('1;'), 0xcb, 0xe0, 0xec, 0xef, 0xe0])],
    ['Windows-1250', Buffer.from([...Buffer.from('1;Bia'), 0xb3, ...Buffer.from('ystok')])],
    ['a broken UTF-8', Buffer.from([...Buffer.from('1;Krügchen, grün, '), 0xc3])],
    ['a zero among Windows-1252', Buffer.from([...Buffer.from('1;Kr'), 0xfc, 0x00, 0xff])],
  ])('in %s is refused with its line, and never drawn as something else', async (_, row) => {
    const bytes = Buffer.concat([Buffer.from('sku;product\n0;Vase\n'), row, Buffer.from('\n')]);
    const lines = await mistakesOf({ 'jobs.yaml': job('r.csv'), 'r.csv': bytes });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^r\.csv:3 {2}jobs\[0\]\.(rows: is not UTF-8 text; save it as UTF-8|prompt: expected text without control)/,
    );
  });

  it.each<[string, string, string]>([
    [
      'a value in a column without a name',
      'sku,product,\n1,Vase,\n2,Lamp,brass\n',
      'r.csv:3  jobs[0].rows: column 3 has no name in the header, and "brass" here; name the column, or empty it',
    ],
    [
      'a first column without a name that is no index',
      ',sku,product\nx,1,Vase\n',
      'r.csv:2  jobs[0].rows: column 1 has no name in the header, and "x" here; name the column, or empty it',
    ],
    [
      'too many values between semicolons',
      'sku;product\n1;Vase\n2;Lamp; brass\n',
      'r.csv:3  jobs[0].rows: expected 2 values, as the header has columns, got 3; a value with a semicolon needs quotes',
    ],
  ])('has its mistakes told: %s', async (_, text, line) => {
    expect(await mistakesOf({ 'jobs.yaml': job('r.csv'), 'r.csv': text })).toEqual([line]);
  });
});

describe('a table of another kind', () => {
  it('is .tsv, in which quotes are text', async () => {
    const text = 'sku\tproduct\n1\t"G I G" painted on a wall\n2\tThe words "Fly" on it\n3\t"whole"\n';
    const found = await open({ 'jobs.yaml': job('r.tsv'), 'r.tsv': text });
    expect(found.rows).toEqual(['1: "G I G" painted on a wall', '2: The words "Fly" on it', '3: whole']);
    expect(found.notes).toEqual([]);
  });

  it('is .ndjson, or a list as .json, with the values within by their paths', async () => {
    const entry = '{"tag": "two", "include": [{"class": "a \\"bench\\"]", "count": 1}], "a.b": true}';
    const yaml = (rows: string) => job(rows, '{{ tag }}', '{{ include.0.class }} × {{ include.0.count }}, {{ a.b }}');
    const expected = ['two: a "bench"] × 1, true'];
    expect((await open({ 'jobs.yaml': yaml('r.ndjson'), 'r.ndjson': `${entry}\n` })).rows).toEqual(expected);
    const { rows, items } = await open({ 'jobs.yaml': yaml('r.json'), 'r.json': `[\n  ${entry}\n]\n` });
    expect(rows).toEqual(expected);
    expect(items[0]?.variables).toEqual({
      tag: 'two',
      'a.b': 'true',
      'include.0.class': 'a "bench"]',
      'include.0.count': '1',
    });
  });

  it.each<[string, string, ...string[]]>([
    [
      'no list',
      '{"sku": 1}',
      'r.json:1  jobs[0].rows: expected a list of objects: [{ … }, { … }]; or one object on each line, as .jsonl',
    ],
    [
      'a list that does not end',
      '[\n{"sku": 1, "product": "x"},\n',
      'r.json:3  jobs[0].rows: the list is not closed by ]',
    ],
    ['text behind it', '[{"sku": 1, "product": "x"}]\n]', 'r.json:2  jobs[0].rows: there is text after the list'],
    ['nothing in it', '[ ]', 'jobs.yaml:6:11  jobs[0].rows: r.json: has no rows'],
    [
      'another kind of entry',
      '[\n{"sku": 1, "product": "x"},\n7]',
      'r.json:3  jobs[0].rows: expected a JSON object, got 7',
    ],
    ['a value that is not there', '[\n{"sku": 1}]', 'r.json:2  jobs[0].prompt: no value for "product" in this row'],
  ])('is .json, with %s told with its line', async (_, text, ...lines) => {
    expect(await mistakesOf({ 'jobs.yaml': job('r.json'), 'r.json': text })).toEqual(lines);
  });

  it('is a workbook, which another program has written', async () => {
    const folder = await written({
      'jobs.yaml': job('r.xlsx', '{{ sku }}-{{ made }}', '{{ product }} {{ price }} {{ on }}'),
    });
    await copyFile(WORKBOOK, join(folder, 'r.xlsx'));
    const { rows, notes } = await opened(folder);
    expect(rows).toEqual([
      '007-2026-03-01: Krügchen "rot"; groß 0.3 true',
      '8-: 東京タワー 12.5 false',
      '009-2026-03-01 12:30: a lamp\nof brass 3',
    ]);
    expect(notes).toEqual(['r.xlsx: 2 empty rows left out']);
  });

  it('is one sheet of a workbook', async () => {
    const folder = await written({ 'jobs.yaml': job('{ file: r.xlsx, sheet: Vases }') });
    await copyFile(WORKBOOK, join(folder, 'r.xlsx'));
    expect((await opened(folder)).rows).toEqual(['v-1: a vase']);
  });

  it('is no workbook, by its bytes', async () => {
    const [line] = await mistakesOf({ 'jobs.yaml': job('r.xlsx'), 'r.xlsx': 'sku,product\n1,Vase\n' });
    expect(line).toMatch(/^jobs\.yaml:6:11 {2}jobs\[0\]\.rows: r\.xlsx: cannot be read as an Excel workbook: /);
  });
});

describe('of a table', () => {
  const PARTI =
    'Prompt,Category,n\nan owl,Animals,007\na bowl of soup,Food & Beverage,7\na fox,Animals,8\na cat,Animals,9\n';
  const parti = (rows: string, id = '{{ row }}') => ({ 'jobs.yaml': job(rows, id, '{{ Prompt }}'), 'p.csv': PARTI });

  it('every row has its number, of the whole file', async () => {
    expect((await open(parti('p.csv'))).rows).toEqual(['1: an owl', '2: a bowl of soup', '3: a fox', '4: a cat']);
    expect((await open(parti('p.csv'))).items[0]?.variables).toMatchObject({ row: '1' });
    expect((await open(parti('p.csv', '{{ n }}'))).items[0]?.variables).not.toHaveProperty('row');
  });

  it('a column of the name "row" is itself', async () => {
    expect((await open({ 'jobs.yaml': job('r.csv', '{{ row }}'), 'r.csv': 'row,product\nx,Vase\n' })).rows).toEqual([
      'x: Vase',
    ]);
  });

  it.each<[string, string[]]>([
    ['{ file: p.csv, where: { Category: Animals } }', ['1: an owl', '3: a fox', '4: a cat']],
    ['{ file: p.csv, where: { Category: animals }, limit: 2 }', ['1: an owl', '3: a fox']],
    ['{ file: p.csv, where: { Category: [Food*, Animals], n: [007, 8] } }', ['1: an owl', '3: a fox']],
    ['{ file: p.csv, limit: 1 }', ['1: an owl']],
  ])('some rows can be taken: %s', async (rows, expected) => {
    expect((await open(parti(rows))).rows).toEqual(expected);
  });

  it('rows can be taken by what is nested in them', async () => {
    const files = {
      'jobs.yaml': job('{ file: r.jsonl, where: { include.0.count: 2 } }', '{{ row }}', '{{ prompt }}'),
      'r.jsonl': '{"prompt":"one","include":[{"count":1}]}\n{"prompt":"two","include":[{"count":2}]}\n',
    };
    expect((await open(files)).rows).toEqual(['2: two']);
  });

  it.each<[string, ...string[]]>([
    [
      '{ file: p.csv, where: { Categry: Animals } }',
      'jobs.yaml:6:35  jobs[0].rows.where.Categry: no such column in p.csv; did you mean Category?',
    ],
    [
      '{ file: p.csv, where: { Category: [Animls, Food*] } }',
      'jobs.yaml:6:11  jobs[0].rows: p.csv: where: no row has "Animls" in "Category"; did you mean Animals?',
    ],
    [
      '{ file: p.csv, where: { Category: Animals, n: 7 } }',
      'jobs.yaml:6:11  jobs[0].rows: p.csv: where: no row has all of this',
    ],
    [
      '{ file: p.csv, were: { Category: Animals } }',
      'jobs.yaml:6:26  jobs[0].rows.were: unknown key; did you mean where?',
    ],
    ['{ file: p.csv, limit: 0 }', 'jobs.yaml:6:33  jobs[0].rows.limit: expected 1 or more, got 0'],
    ['{ where: { n: 7 } }', 'jobs.yaml:6:11  jobs[0].rows.file: expected text, got nothing'],
  ])('what selects nothing is a mistake: %s', async (rows, ...lines) => {
    expect(await mistakesOf(parti(rows))).toEqual(lines);
  });
});
