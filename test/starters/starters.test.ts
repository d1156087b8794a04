import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
import { starterFor } from '../../src/starters/starter-for.ts';
import { photo } from '../manifest/photo.ts';
import { collected, type Files, written } from '../manifest/written.ts';

/** The items of the manifest that is written for a file. */
async function started(name: string, files: Files) {
  const folder = await written(files);
  const { path, text } = await starterFor(join(folder, name));
  await writeFile(path, text, { flag: 'wx' });
  const { manifest } = await openManifest(path);
  const items = await collected(expand(manifest));
  return { folder, manifest, text, items, path: path.slice(folder.length + 1) };
}

const SHOP = 'sku;product;material;ratio\r\n007;Krügchen;brass, brushed;3:4\r\n008;Vase;glass;9:16\r\n';

describe('the manifest for a table', () => {
  it('draws its rows, whatever separates them, and says which columns there are', async () => {
    const { items, text, path, manifest } = await started('Products (2).csv', {
      'Products (2).csv': Buffer.from(SHOP, 'latin1'),
    });
    expect([path, manifest.batch]).toEqual(['Products (2).yaml', 'products-2']);
    expect(items.map(({ name, request }) => [name, request.prompt, request.aspectRatio])).toEqual([
      ['007', 'Krügchen', '3:4'],
      ['008', 'Vase', '9:16'],
    ]);
    expect(text).toContain(
      '# An image for each of the 2 rows of Products (2).csv. Its columns are variables:\n  # sku, product, material, ratio\n',
    );
  });

  it('takes prompts, pictures and models where columns have them, and numbers rows that have no name', async () => {
    const { items } = await started('edits.jsonl', {
      'edits.jsonl': ['A', 'A']
        .map((prompt, n) =>
          JSON.stringify({ caption: prompt, photo: `https://example.com/${n}.jpg`, model: 'flux-kontext-max' }),
        )
        .join('\n'),
    });
    expect(items.map(({ name, request }) => [name, request.prompt, request.inputImage, request.model])).toEqual([
      ['1', 'A', 'https://example.com/0.jpg', 'flux-kontext-max'],
      ['2', 'A', 'https://example.com/1.jpg', 'flux-kontext-max'],
    ]);
  });

  it('is right whatever the columns are called', async () => {
    const { items } = await started('2026.tsv', {
      '2026.tsv': '"id ""#1"""\tA: what, {x}?\ttrue\n1\tx\ta b\n2\ty\tc d\n',
    });
    expect(items.map(({ name, request }) => [name, request.prompt])).toEqual([
      ['1', 'a b'],
      ['2', 'c d'],
    ]);
  });

  it('is written for a workbook, and for a list of JSON', async () => {
    const folder = await written({ 'r.json': '[{"sku": 1, "prompt": "A vase"}]' });
    await copyFile('test/tables/products.xlsx', join(folder, 'p.xlsx'));
    for (const [name, count] of [
      ['r.json', 1],
      ['p.xlsx', 3],
    ] as const) {
      const { path, text } = await starterFor(join(folder, name));
      await writeFile(path, text);
      expect((await openManifest(path)).totals.items).toBe(count);
    }
  });
});

it('the manifest for a file of prompts draws its lines', async () => {
  const { items } = await started('prompts.txt', { 'prompts.txt': '# winter\nA lamp\n#1 mug\n' });
  expect(items.map(({ request }) => request.prompt)).toEqual(['A lamp', '#1 mug']);
});

it('the manifest for a folder of photos edits each of them', async () => {
  const folder = await written({});
  const photos = join(folder, 'photos');
  await mkdir(photos);
  await writeFile(join(photos, 'a lamp.jpg'), await photo('red'));
  await writeFile(join(photos, 'b.PNG'), await photo('blue', 'png'));
  for (const name of ['notes.txt', '._b.PNG']) await writeFile(join(photos, name), '');
  const { path, text } = await starterFor(`${photos}/`);
  expect(path).toBe(`${photos}.yaml`);
  await writeFile(path, text);
  const items = await collected(expand((await openManifest(path)).manifest));
  expect(items.map(({ request }) => request.inputImage)).toEqual([
    expect.stringMatching(/^inputs\/[0-9a-f]{64}\.jpg$/),
    expect.stringMatching(/^inputs\/[0-9a-f]{64}\.png$/),
  ]);
  expect(items.map(({ name }) => name)).toEqual(['a lamp', 'b']);
  expect(items.map(({ request }) => request.aspectRatio)).toEqual([undefined, undefined]);
});

describe('a source that cannot be used', () => {
  it.each<[string, Files, string, RegExp]>([
    ['an old workbook', { 'a.xls': '' }, 'a.xls', /^.*a\.xls: a table of this kind cannot be read$/],
    [
      'a table with mistakes',
      { 'a.csv': 'a,b\n1\n2,3,4\n' },
      'a.csv',
      /a\.csv:2 {2}expected 2 values.*\n.*a\.csv:3 {2}expected 2/,
    ],
    ['a table that is not there', {}, 'a.csv', /a\.csv {2}there is no such file/],
    ['a folder without photos', { 'a.txt': '' }, '', /has no \.jpg, \.png or \.webp in it/],
  ])('%s is told', async (_, files, name, message) => {
    const error = await starterFor(join(await written(files), name)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UsageError);
    expect(String(Reflect.get(Object(error), 'message'))).toMatch(message);
  });
});

describe('a table in place of a manifest', () => {
  it.each<[string, string, string]>([
    [
      'r.csv',
      SHOP,
      'version: 1\nbatch: r\njobs:\n  - id: "{{ sku }}"\n    prompt: "{{ product }}"\n    aspectRatio: "{{ ratio }}"\n    rows: r.csv',
    ],
    [
      'r.json',
      '[{"id": "a", "prompt": "A vase"}]',
      'version: 1\nbatch: r\njobs:\n  - id: "{{ id }}"\n    prompt: "{{ prompt }}"\n    rows: r.json',
    ],
    ['p.txt', 'A lamp\n', 'version: 1\nbatch: p\njobs:\n  - prompts: p.txt'],
  ])('%s is answered with the lines that use it', async (name, content, lines) => {
    const folder = await written({ [name]: content });
    const error = await openManifest(join(folder, name)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'manifest-is-table', hint: expect.stringContaining(`\n\n${lines}`) });
    await writeFile(join(folder, 'jobs.yaml'), lines);
    expect((await openManifest(join(folder, 'jobs.yaml'))).totals.items).toBeGreaterThan(0);
  });

  it('is none that is a manifest, as JSON or in a .txt', async () => {
    const manifest = { version: 1, batch: 'b', jobs: [{ id: 'a', prompt: 'x' }] };
    const folder = await written({
      'a.json': JSON.stringify(manifest),
      'a.txt': 'version: 1\nbatch: b\njobs: [{ id: a, prompt: x }]\n',
    });
    for (const name of ['a.json', 'a.txt']) expect((await openManifest(join(folder, name))).totals.items).toBe(1);
  });
});
