import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EVERYTHING, type Selection } from '../../src/manifest/selection.ts';
import { newFolder } from '../results/folders.ts';
import { planAndMake } from './plan-and-make.ts';
import { openRig } from './rig.ts';

type Manifest = { defaults?: object; jobs: object[]; include?: string[] };
/** A manifest, then what it is edited to; each is planned, made and counted. `makes`: how many tasks each of them costs. */
type Odd = {
  is: string;
  files?: Record<string, string>;
  steps: (Manifest & { part?: Partial<Selection> })[];
  makes: number[];
};

const cat = { id: 'cat', prompt: 'A cat' };
const ODD: Odd[] = [
  {
    is: 'rows, a matrix, a zip, exclusions and variants at once',
    files: { 'r.csv': 'sku,what\n1,bowl\n2,vase\n' },
    steps: [
      {
        jobs: [
          {
            id: '{{ sku }}-{{ color }}-{{ angle }}',
            prompt: 'A {{ color }} {{ what }} on {{ cloth }}, {{ angle }}',
            rows: 'r.csv',
            matrix: { angle: ['front', 'back'] },
            zip: { color: ['red', 'blue'], cloth: ['linen', 'silk'] },
            exclude: [{ color: 'blue', angle: 'back' }],
            variants: 2,
          },
        ],
      },
    ],
    makes: [12],
  },
  {
    is: 'two included manifests that come to the same by different ids',
    files: {
      'a.yaml': JSON.stringify({ version: 1, jobs: [cat] }),
      'b.yaml': JSON.stringify({
        version: 1,
        jobs: [{ id: '{{ n }}', prompt: 'A cat', matrix: { n: ['cat', 'cow'] } }],
      }),
    },
    steps: [{ jobs: [{ id: 'dog', prompt: 'A dog' }], include: ['a.yaml', 'b.yaml'] }],
    makes: [3],
  },
  {
    is: 'a dearer model beside the same name',
    steps: [
      { jobs: [cat, { id: '{{ n }}', prompt: 'A cat', matrix: { n: ['cat'] }, model: 'flux-kontext-max' }] },
      { jobs: [{ ...cat, model: 'flux-kontext-max' }] },
    ],
    makes: [2, 0],
  },
  {
    is: 'more variants, then fewer, then as many again',
    steps: [2, 5, 1, 5].map((variants) => ({ jobs: [{ ...cat, variants }] })),
    makes: [2, 3, 0, 0],
  },
  {
    is: 'a rename that says what it was, and one that does not',
    steps: [
      { jobs: [cat, { id: 'dog', prompt: 'A dog' }] },
      {
        jobs: [
          { id: 'tiger', was: 'cat', prompt: 'A cat' },
          { id: 'wolf', prompt: 'A dog' },
        ],
      },
      { jobs: [cat, { id: 'dog', prompt: 'A dog' }] },
    ],
    makes: [2, 1, 0],
  },
  {
    is: 'an image to edit with the shape that others have by default',
    steps: [
      { jobs: [{ ...cat, aspectRatio: '16:9' }] },
      { jobs: [cat] },
      { jobs: [{ ...cat, inputImage: 'https://example.com/a.png', aspectRatio: '16:9' }] },
      { jobs: [{ ...cat, inputImage: 'https://example.com/a.png' }] },
    ],
    makes: [1, 0, 1, 1],
  },
  {
    is: 'a part, another part, all of it, and a part again',
    files: { 'p.txt': ['one', 'two', 'three', 'two', 'four', '# five', '#six'].join('\r\n') },
    steps: [
      { jobs: [{ prompts: 'p.txt' }], part: { limit: 2 } },
      { jobs: [{ prompts: 'p.txt' }], part: { only: ['t*'] } },
      { jobs: [{ prompts: 'p.txt' }] },
      { jobs: [{ prompts: 'p.txt' }], part: { limit: 1 } },
    ],
    makes: [2, 1, 2, 0],
  },
  {
    is: 'names of nothing but signs, of one letter in two forms, and as long as they may be',
    steps: [
      {
        jobs: ['!!!', '???', '🏮', '🏯', 'é', 'e\u0301', `${'long '.repeat(39)}a`, `${'long '.repeat(39)}b`].map(
          (id) => ({
            id,
            prompt: 'A sign',
          }),
        ),
      },
    ],
    makes: [7],
  },
  {
    is: 'JSON with numbers, truths and values within, of which some are equal',
    files: {
      'r.json': JSON.stringify([
        { n: 1, at: { is: true } },
        { n: '1', at: { is: 'true' } },
        { n: 1.5, at: { is: false } },
      ]),
    },
    steps: [{ jobs: [{ id: '{{ n }}', prompt: 'Number {{ n }}, {{ at.is }}', rows: 'r.json' }] }],
    makes: [2],
  },
  {
    is: 'a table with conditions, of which later more and fewer rows are wanted',
    files: { 'r.csv': 'sku;what;shown\n1;bowl;yes\n2;vase;no\n3;"a;b";yes\n4;lamp;yes\n' },
    steps: [
      { jobs: [{ id: '{{ sku }}', prompt: '{{ what }}', rows: { file: 'r.csv', where: { shown: 'yes' }, limit: 2 } }] },
      { jobs: [{ id: '{{ sku }}', prompt: '{{ what }}', rows: { file: 'r.csv', where: { shown: ['yes', 'no'] } } }] },
      { jobs: [{ id: '{{ sku }}', prompt: '{{ what }}', rows: { file: 'r.csv', where: { shown: 'n*' } } }] },
    ],
    makes: [2, 2, 0],
  },
  {
    is: 'what is no part of a request: priority, embedding, where a job stands',
    steps: [
      { jobs: [cat, { id: 'dog', prompt: 'A dog' }] },
      {
        jobs: [
          { id: 'dog', prompt: 'A dog', priority: 3 },
          { ...cat, embed: true },
        ],
      },
    ],
    makes: [2, 0],
  },
  {
    is: 'braces that are to be drawn, and the same text filled in',
    files: { 'p.txt': 'a {{ brace }}\n' },
    steps: [
      {
        jobs: [
          { id: 'x', prompt: 'a {{{{ brace }}' },
          { id: '{{ what }}', prompt: 'a {{ what }}', matrix: { what: ['{{{{ brace }}', 'cat'] } },
          { id: 'y', prompts: 'p.txt' },
        ],
      },
    ],
    makes: [4],
  },
];

test('odd manifests and what they are edited to: plan, ledger and charge agree each time', async () => {
  const rig = await openRig();
  await rig.work();
  const root = await newFolder();
  for (const [index, odd] of ODD.entries()) {
    const batch = `odd-${index}`;
    const folder = join(root, batch);
    await mkdir(folder);
    for (const [name, text] of Object.entries(odd.files ?? {})) await writeFile(join(folder, name), text);
    const file = join(folder, 'jobs.yaml');
    const made: number[] = [];
    for (const { part = {}, ...manifest } of odd.steps) {
      await writeFile(file, JSON.stringify({ version: 1, batch, ...manifest }));
      made.push(await planAndMake(rig, file, { ...EVERYTHING, ...part }));
    }
    expect(made, odd.is).toEqual(odd.makes);
  }
});
