import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { openPlace, type Place } from './place.ts';

const rowSchema = z.object({
  id: z.string(),
  name: z.string(),
  prompt: z.string(),
  variant: z.number(),
  sha256: z.string().nullable(),
  current: z.boolean().nullable(),
  order: z.number().nullable(),
  job: z.string().nullable(),
  file: z.string().nullable(),
  line: z.number().nullable(),
  credits: z.number().nullable(),
});

async function run(place: Place, ...args: string[]) {
  const { code, stdout, stderr } = await place.run(args);
  expect(code, stderr).toBe(0);
  return stdout;
}

async function rows(place: Place, ...args: string[]) {
  const text = await run(place, 'results', 'names', ...args);
  return text
    .trim()
    .split('\n')
    .map((line) => rowSchema.parse(JSON.parse(line)));
}

const sha256Of = async (path: string) =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

function manifest(prompts: readonly string[]): string {
  const jobs = prompts.map((prompt, index) => ({ id: `a-${index + 1}`, prompt, variants: 2 }));
  return JSON.stringify({ version: 1, batch: 'names', jobs }, null, 2);
}

test('after an edited prompt a name has its present picture, by whichever order of ids; the former one has its id', async (context) => {
  const place = await openPlace(context);
  const count = 5;
  const prompts = (edited: string) => Array.from({ length: count }, (_, n) => `${edited} lighthouse, number ${n}`);
  await place.write('jobs.yaml', manifest(prompts('A white')));
  await run(place, 'run', 'jobs.yaml');
  await run(place, 'results', 'names', '--out', 'shop', '--flat');
  await place.write('jobs.yaml', manifest(prompts('A red')));
  await run(place, 'run', 'jobs.yaml', '--yes');

  const all = await rows(place);
  expect(all).toHaveLength(4 * count);
  for (const row of all) expect(row.current).toBe(row.prompt.startsWith('A red'));
  const current = await rows(place, '--order', 'manifest', '--where', 'current=true');
  expect(current.map(({ name, variant, order }) => `${name} ${variant} ${order}`)).toEqual(
    Array.from({ length: 2 * count }, (_, n) => `a-${(n >> 1) + 1} ${(n % 2) + 1} ${n + 1}`),
  );
  expect(current[0]).toMatchObject({ job: 'a-1', file: 'jobs.yaml', line: 5, credits: 8 });

  // Into the folder that has the former ones, and into a new one.
  const former = new Set(all.filter((row) => !row.current).map(({ sha256 }) => sha256));
  for (const folder of ['shop', 'new']) {
    await run(place, 'results', 'names', '--out', folder, '--flat');
    for (const { name, variant, sha256 } of current)
      expect(await sha256Of(join(place.folder, folder, `${name}-${variant}.jpg`))).toBe(sha256);
  }
  const kept = (await readdir(join(place.folder, 'shop'))).filter((name) => /\.[0-9a-f]{12}\.jpg$/.test(name));
  expect(new Set(await Promise.all(kept.map((name) => sha256Of(join(place.folder, 'shop', name)))))).toEqual(former);

  await run(place, 'results', 'names', '--out', 'all', '--flat', '--where', 'current=true,false');
  const names = new Set(await readdir(join(place.folder, 'all')));
  for (const { id, name, variant, current: isCurrent } of all)
    expect(names).toContain(isCurrent ? `${name}-${variant}.jpg` : `${id}.jpg`);
});

test('names of all scripts, and names that a file system may not tell apart, each have a file of their own', async (context) => {
  const place = await openPlace(context);
  const names = ['東京', '大阪', 'Hero', 'hero', 'Cafe\u0301', 'con', 'a/b:c?'];
  const jobs = names.map((id) => ({ id, prompt: `A picture of ${id.normalize('NFC')}` }));
  await place.write('jobs.yaml', JSON.stringify({ version: 1, batch: 'names', jobs }));
  await run(place, 'run', 'jobs.yaml');
  await run(place, 'results', 'names', '--out', 'shop', '--flat');
  const all = await rows(place, '--order', 'manifest');
  const expected = ['東京-1', '大阪-1', 'hero-1', all[3]?.id, 'café-1', 'con-1', 'a-b-c-1'].map(
    (name) => `${name}.jpg`,
  );
  const files = (await readdir(join(place.folder, 'shop'))).filter((name) => name.endsWith('.jpg'));
  expect(files.sort()).toEqual(expected.sort());
});

test('a file of another sha256 is never overwritten', async (context) => {
  const place = await openPlace(context);
  await place.write('jobs.yaml', manifest(['A lighthouse']));
  await run(place, 'run', 'jobs.yaml');
  await run(place, 'results', 'names', '--out', 'shop', '--flat');
  await writeFile(join(place.folder, 'shop', 'a-1-1.jpg'), 'retouched');
  await run(place, 'results', 'names', '--out', 'shop', '--flat');
  const texts = await Promise.all(
    (await readdir(join(place.folder, 'shop')))
      .filter((name) => name.startsWith('a-1-1.'))
      .map((name) => readFile(join(place.folder, 'shop', name), 'utf8')),
  );
  expect(texts).toContain('retouched');
});

test('a part of the manifest leaves the others current; a job that was taken out is not', async (context) => {
  const place = await openPlace(context);
  await place.write('jobs.yaml', manifest(['A lighthouse', 'A harbour', 'A pier']));
  await run(place, 'run', 'jobs.yaml');
  await place.write('jobs.yaml', manifest(['A lighthouse', 'A harbour at dusk', 'A pier at dusk']));
  await run(place, 'run', 'jobs.yaml', '--only', 'a-2', '--yes');
  const currentPrompts = async () =>
    (await rows(place, '--order', 'manifest', '--where', 'current=true')).map(({ prompt }) => prompt);
  expect(new Set(await currentPrompts())).toEqual(new Set(['A lighthouse', 'A harbour at dusk', 'A pier']));
  expect((await currentPrompts())[2]).toBe('A harbour at dusk');
  await place.write('jobs.yaml', manifest(['A lighthouse']));
  await run(place, 'run', 'jobs.yaml');
  expect(await currentPrompts()).toEqual(['A lighthouse', 'A lighthouse']);
});
