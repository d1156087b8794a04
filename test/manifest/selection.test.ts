import { join } from 'node:path';
import { expect, it } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import type { NewItem } from '../../src/items/item.ts';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
import { EVERYTHING, type Selection } from '../../src/manifest/selection.ts';
import { collected, type Files, written } from './written.ts';

const TEAPOTS = `version: 1
batch: b
jobs:
  - id: hero
    prompt: A lighthouse
  - id: teapot-{{ color }}-{{ angle }}
    prompt: A {{ color }} teapot, {{ angle }}, {{ light }}
    matrix: { color: [red, blue], angle: [front, side], light: [soft] }
  - id: shelf-{{ sku }}
    prompt: "{{ what }} on a shelf"
    model: flux-kontext-max
    rows: r.csv
`;
const FILES = { 'jobs.yaml': TEAPOTS, 'r.csv': 'sku,what\n1,lamp\n2,vase\n' };

async function selected(part: Partial<Selection>, files: Files = FILES) {
  const file = join(await written(files), 'jobs.yaml');
  const { manifest, totals } = await openManifest(file, { selection: { ...EVERYTHING, ...part } });
  const items = await collected(expand(manifest));
  expect(totals.items).toBe(items.length);
  return { totals, names: items.map(({ name }) => name), items };
}

it('--only takes what matches one of its patterns, and counts that alone', async () => {
  const { names, totals } = await selected({ only: ['HERO', 'teapot-*-side', 'shelf-?'] });
  expect(names).toEqual(['hero', 'teapot-red-side', 'teapot-blue-side', 'shelf-1', 'shelf-2']);
  expect(totals).toMatchObject({
    items: 5,
    byModel: { 'flux-kontext-pro': 3, 'flux-kontext-max': 2 },
    byJob: [1, 2, 2],
  });
});

it('--only takes a name with a comma as a whole where an item has it, and as two patterns elsewhere', async () => {
  const prompts = {
    'jobs.yaml': 'version: 1\nbatch: b\njobs:\n  - prompts: p.txt\n',
    'p.txt': 'A cat, sitting\nA cat\nsitting\n',
  };
  expect((await selected({ only: ['A cat, sitting'] }, prompts)).names).toEqual(['A cat, sitting']);
  expect((await selected({ only: ['A cat, sit*'] }, prompts)).names).toEqual(['A cat, sitting']);
  expect((await selected({ only: ['sitting, A cat'] }, prompts)).names).toEqual(['A cat', 'sitting']);
});

it('--limit takes the first so many, of what matches', async () => {
  expect((await selected({ limit: 2 })).names).toEqual(['hero', 'teapot-red-front']);
  expect((await selected({ only: ['shelf-*'], limit: 1 })).names).toEqual(['shelf-1']);
  expect((await selected({ limit: 100 })).names).toHaveLength(7);
});

it('items that are selected are the same items as without a selection', async () => {
  const facts = (items: readonly NewItem[]) => items.map(({ id, name, variables }) => ({ id, name, variables }));
  const all = facts((await selected({})).items);
  const some = facts((await selected({ only: ['teapot-blue-*'] })).items);
  expect(some).toEqual(all.filter(({ name }) => name.startsWith('teapot-blue')));
});

it('--set wins over a matrix, which does not turn through that variable any more', async () => {
  const { items } = await selected({ only: ['teapot-*'], set: { color: 'green' } });
  expect(items.map(({ request }) => request.prompt)).toEqual([
    'A green teapot, front, soft',
    'A green teapot, side, soft',
  ]);
  expect(items[0]?.variables).toEqual({ color: 'green', angle: 'front', light: 'soft' });
});

it('--set wins over a column, and defines what neither has', async () => {
  expect(
    (await selected({ only: ['shelf-*'], set: { what: 'A bowl' } })).items.map((item) => item.request.prompt),
  ).toEqual(['A bowl on a shelf', 'A bowl on a shelf']);
  const files = { 'jobs.yaml': 'version: 1\nbatch: b\njobs:\n  - id: a\n    prompt: A teapot, {{ style }}\n' };
  const [item] = (await selected({ set: { style: 'gouache' } }, files)).items;
  expect(item).toMatchObject({ variables: { style: 'gouache' }, request: { prompt: 'A teapot, gouache' } });
});

it.each<[string, Partial<Selection>, string, string]>([
  ['matches nothing', { only: ['heros*'] }, '--only heros*: no item has such a name', 'Did you mean hero?'],
  [
    'is like nothing',
    { only: ['hero', 'zebra'] },
    '--only zebra: no item has such a name',
    'There are: hero, teapot-red-front, teapot-red-side, teapot-blue-front, teapot-blue-side, shelf-1, shelf-2',
  ],
  [
    'sets what nothing uses',
    { set: { colour: 'red' } },
    '--set colour: nothing in the manifest uses a variable of this name',
    'Did you mean color?',
  ],
])('a selection that %s is a mistake that names what there is', async (_, part, message, hint) => {
  const error = await selected(part).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UsageError);
  expect(error).toMatchObject({ message, hint });
});

it('does not hide the mistakes of what is not selected', async () => {
  const broken = { ...FILES, 'r.csv': 'sku,what\n1\n' };
  await expect(selected({ only: ['hero'] }, broken)).rejects.toThrow('expected 2 values');
});
