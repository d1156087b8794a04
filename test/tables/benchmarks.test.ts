import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
import { collected, written } from '../manifest/written.ts';

const FOLDER = 'examples/benchmarks';
const LINES = 'a green bench and a blue bowl\na blue bench and a green bowl\n';

/** Made up, in the shape of what is published: its header, its quotes, what is nested. */
const PUBLISHED = {
  'partiprompts.yaml': {
    'PartiPrompts.tsv':
      'Prompt\tCategory\tChallenge\tNote\nan owl\tAnimals\tBasic\t\n"O W L" painted on a wall\tOutdoor Scenes\tWriting & Symbols\tby us\nThe words "An owl" on a sign\tArtifacts\tComplex\t\n',
  },
  'geneval.yaml': {
    'evaluation_metadata.jsonl':
      '{"tag": "single_object", "include": [{"class": "bench", "count": 1}], "prompt": "a photo of a bench"}\n{"tag": "counting", "include": [{"class": "cow", "count": 2}], "exclude": [{"class": "cow", "count": 3}], "prompt": "a photo of two cows"}\n',
  },
  't2i-compbench.yaml': {
    // As published, some lines of it are there twice.
    'color_val.txt': `${LINES}${LINES}`,
    'shape_val.txt': 'an oval mirror',
    'texture_val.txt': 'a wooden bowl',
  },
};

const NAMES = {
  'partiprompts.yaml': [
    'parti-1: an owl',
    'parti-2: "O W L" painted on a wall',
    'parti-3: The words "An owl" on a sign',
  ],
  'geneval.yaml': [
    ...Array.from({ length: 4 }, () => 'geneval-1-single_object: a photo of a bench'),
    ...Array.from({ length: 4 }, () => 'geneval-2-counting: a photo of two cows'),
  ],
  't2i-compbench.yaml': [
    'color-a green bench and a blue bowl: a green bench and a blue bowl',
    'color-a blue bench and a green bowl: a blue bench and a green bowl',
    'shape-an oval mirror: an oval mirror',
    'texture-a wooden bowl: a wooden bowl',
  ],
};

it.each(Object.entries(PUBLISHED))('examples/benchmarks/%s draws what its benchmark has', async (name, files) => {
  const folder = await written(files);
  await copyFile(join(FOLDER, name), join(folder, name));
  const { manifest, totals } = await openManifest(join(folder, name));
  const items = await collected(expand(manifest));
  expect(items.map((item) => `${item.name}: ${item.request.prompt}`)).toEqual(Reflect.get(NAMES, name));
  expect(totals.notes).toEqual([]);
  expect(totals.items).toBe(items.length);
  expect(totals.repeated.count).toBe(name === 't2i-compbench.yaml' ? 2 : 0);
});

it('every benchmark among the examples is tried here', async () => {
  expect((await readdir(FOLDER)).sort()).toEqual(Object.keys(PUBLISHED).sort());
});
