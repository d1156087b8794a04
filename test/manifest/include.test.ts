import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
import { collected, itemsOf, mistakesOf, written } from './written.ts';

const head = 'version: 1\nbatch: b\n';
const other = (id: string, more = '') => `version: 1\n${more}jobs:\n  - id: ${id}\n    prompt: A ${id}\n`;

it('what is included comes first, in order, and its batch does not count', async () => {
  const items = await itemsOf({
    'jobs.yaml': `${head}include: [one.yaml, two.yaml]\njobs: [{ id: own, prompt: x }]\n`,
    'one.yaml': other('one', 'batch: another\n'),
    'two.yaml': other('two'),
  });
  expect(items.map(({ batch, name }) => `${batch} ${name}`)).toEqual(['b one', 'b two', 'b own']);
});

it('defaults of the included file win over ours, and stay with its own jobs', async () => {
  const items = await itemsOf({
    'jobs.yaml': `${head}include: [one.yaml]\ndefaults: { outputFormat: png, priority: 7 }\njobs: [{ id: own, prompt: x }]\n`,
    'one.yaml': other('one', 'defaults: { priority: 3, uploadCn: true }\n'),
  });
  expect(items.map(({ priority, request }) => [priority, request.outputFormat, request.uploadCn])).toEqual([
    [3, 'png', true],
    [7, 'png', undefined],
  ]);
});

it('a manifest may have nothing but includes, and paths are relative to the file that has them', async () => {
  const folder = await written({ 'jobs.yaml': `${head}include: [parts/one.yaml]\n` });
  await mkdir(join(folder, 'parts'));
  await writeFile(join(folder, 'parts/one.yaml'), 'version: 1\ninclude: [two.yaml]\n');
  await writeFile(join(folder, 'parts/two.yaml'), 'version: 1\njobs: [{ id: "{{ n }}", prompt: x, rows: r.csv }]\n');
  await writeFile(join(folder, 'parts/r.csv'), 'n\n1\n2\n');
  const { manifest } = await openManifest(join(folder, 'jobs.yaml'));
  expect((await collected(expand(manifest))).map(({ name }) => name)).toEqual(['1', '2']);
});

it('the digest covers what is included, and is that of the file where there is nothing', async () => {
  const digests = async (included: string) => {
    const folder = await written({ 'jobs.yaml': `${head}include: [one.yaml]\n`, 'one.yaml': included });
    return (await openManifest(join(folder, 'jobs.yaml'))).manifest.digest;
  };
  expect(await digests(other('one'))).not.toBe(await digests(other('two')));
  expect(await digests(other('one'))).toBe(await digests(other('one')));
});

it.each<[string, Record<string, string>, ...string[]]>([
  [
    'mistakes are told in the file where they are',
    {
      'jobs.yaml': `${head}include: [one.yaml, none.yaml]\njob: []\n`,
      'one.yaml': other('one', 'defaults: { modl: x }\n'),
    },
    'jobs.yaml:3:21  include[1]: none.yaml: there is no such file',
    'one.yaml:2:13  defaults.modl: unknown key; did you mean model?',
    'jobs.yaml:4:1  job: unknown key; did you mean jobs?',
  ],
  [
    'of rows as well',
    {
      'jobs.yaml': `${head}include: [one.yaml]\n`,
      'one.yaml': 'version: 1\njobs: [{ id: "{{ a }}", prompt: x, rows: r.csv }]\n',
      'r.csv': 'a\n1,2\n',
    },
    'r.csv:2  jobs[0].rows: expected 1 values, as the header has columns, got 2; a value with a comma needs quotes',
  ],
  [
    'a file that includes itself by way of another',
    { 'jobs.yaml': `${head}include: [one.yaml]\n`, 'one.yaml': 'version: 1\ninclude: [jobs.yaml]\n' },
    'one.yaml:2:11  include[0]: includes itself: jobs.yaml → one.yaml → jobs.yaml',
  ],
  [
    'a file that is included twice',
    { 'jobs.yaml': `${head}include: [one.yaml, ./one.yaml]\n`, 'one.yaml': other('one') },
    'jobs.yaml:3:21  include[1]: is included already',
  ],
  [
    'an id that two files have',
    { 'jobs.yaml': `${head}include: [one.yaml]\njobs: [{ id: one, prompt: x }]\n`, 'one.yaml': other('one') },
    'jobs.yaml:4:14  jobs[0].id: is the id of jobs[0] in "one.yaml" too; ids must differ',
  ],
  [
    'files within files within files',
    {
      'jobs.yaml': `${head}include: [1.yaml]\n`,
      ...Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`${n}.yaml`, `version: 1\ninclude: [${n + 1}.yaml]\n`])),
    },
    '5.yaml:2:11  include[0]: expected at most 5 files within each other',
  ],
  [
    'defaults of ours that are broken, once',
    { 'jobs.yaml': `${head}include: [one.yaml]\ndefaults: { watermark: "{{ w" }\n`, 'one.yaml': other('one') },
    'jobs.yaml:4:24  defaults.watermark: "{{" is never closed by "}}" in "{{ w"; write {{{{ for a literal "{{"',
  ],
  [
    'a file that is no manifest, and nothing of it',
    { 'jobs.yaml': `${head}include: [one.yaml]\n`, 'one.yaml': 'version: "3"\npassword: secret\n' },
    'jobs.yaml:3:11  include[0]: one.yaml: is not a manifest: expected a map with jobs',
  ],
  [
    'what an included file must have',
    { 'jobs.yaml': `${head}include: [one.yaml]\n`, 'one.yaml': 'defaults: {}\n' },
    'one.yaml:1:1  version: is required; write version: 1',
    'one.yaml:1:1  jobs: is required; a list of what to draw',
  ],
])('%s', async (_, files, ...lines) => {
  expect(await mistakesOf(files)).toEqual(lines);
});
