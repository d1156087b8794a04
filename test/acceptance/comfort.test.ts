import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { COMMAND } from '../services/program.ts';
import { countBy, expectImagesAsRecorded, recordsOf } from './archived.ts';
import { until } from './cli.ts';
import { accepted, expectOneTaskEach, submitsSeen } from './ledger.ts';
import { openPlace, type Place, promptsFor } from './place.ts';

test.concurrent('a part of a manifest is made first, and then only the rest', async (context) => {
  const place = await openPlace(context);
  const manifest = await place.manifest('parts', promptsFor(12));
  const first = await place.run(['run', manifest, '--only', 'item-1*', '--limit', '3', '--json']);
  expect(first.code, first.stderr).toBe(0);
  expect(first.stderr).toContain('parts: 3 of 3 images archived');
  expect((await recordsOf(place, 'parts')).map(({ name }) => name).sort()).toEqual(['item-1', 'item-10', 'item-11']);

  const { code, stderr } = await place.run(['run', manifest]);
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('12 of 12 images archived');
  expectOneTaskEach(place, 12);
  await expectImagesAsRecorded(place, 'parts');
});

test.concurrent('a manifest on stdin is made, with rows from the current folder', async (context) => {
  const place = await openPlace(context);
  await place.write('rows.csv', 'what\nlamp\nvase\n');
  const text = 'version: 1\nbatch: piped\njobs:\n  - { id: "{{ what }}", prompt: "A {{ what }}", rows: rows.csv }\n';
  const { code, stderr } = await piped(place, text, 'run', '-');
  expect(code, stderr).toBe(0);
  expect(countBy(await recordsOf(place, 'piped'))).toEqual({ archived: 2 });

  const broken = await piped(place, `${text}jbos: []\n`, 'plan', '-');
  expect(broken).toMatchObject({ code: 2, stderr: expect.stringContaining('<stdin>:5:1  jbos: unknown key') });
});

test.concurrent('a question cannot be answered where the manifest is on stdin, and says so', async (context) => {
  const place = await openPlace(context, { env: { CONFIRM_CREDITS: '5' } });
  const text = 'version: 1\nbatch: dear\njobs: [{ id: a, prompt: A teapot }]\n';
  const { code, stderr } = await piped(place, text, 'run', '-');
  expect(code, stderr).toBe(2);
  expect(stderr).toContain('say --yes');
  expect(stderr).toContain('stdin');
  expect(submitsSeen(place)).toBe(0);
  expect((await piped(place, text, 'run', '-', '--yes')).code).toBe(0);
});

test.concurrent('`embed` of a manifest reaches workers elsewhere that know nothing of it', async (context) => {
  const place = await openPlace(context);
  const jobs = '[{ id: told, prompt: A teapot }, { id: silent, prompt: A lamp, embed: false }]';
  await place.write('e.yaml', `version: 1\nbatch: embedded\ndefaults: { embed: true }\njobs: ${jobs}\n`);
  const worker = place.start(['worker']);
  expect((await place.run(['enqueue', 'e.yaml'])).code).toBe(0);
  await until('both are archived', async () => countBy(await recordsOf(place, 'embedded')).archived === 2);
  worker.kill('SIGTERM');
  await worker.exit();
  await expectImagesAsRecorded(place, 'embedded');
  for (const record of await recordsOf(place, 'embedded')) {
    const { xmp } = await sharp(join(place.folder, 'archive', 'image' in record ? record.image : '')).metadata();
    expect(xmp?.includes('A teapot') ?? false, record.name).toBe(record.name === 'told');
  }
});

test.concurrent('what `init` writes is planned and made, and never overwrites', async (context) => {
  const place = await openPlace(context);
  const init = await place.run(['init']);
  expect(init.code, init.stderr).toBe(0);
  expect(init.stderr).toMatch(/plan jobs\.yaml.*\n.*run jobs\.yaml.*\n.*simulate/);
  const plan = await place.run(['plan', 'jobs.yaml']);
  expect(plan.stdout).toContain('6 items from 2 jobs');
  const { code, stderr } = await place.run(['run', 'jobs.yaml']);
  expect(code, stderr).toBe(0);
  expect(accepted(place)).toBe(6);

  const again = await place.run(['init', 'jobs.yaml']);
  expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('jobs.yaml exists already') });
});

test.concurrent('plan tells what is archived already, and prices the rest', async (context) => {
  const place = await openPlace(context);
  const manifest = await place.manifest('half', promptsFor(5));
  expect((await place.run(['run', manifest, '--limit', '2'])).code).toBe(0);
  const told = await place.run(['plan', manifest]);
  expect(told.stdout).toContain('to make  3; already archived: 2, in ./archive');
  expect(told.stdout).toContain('24 credits for what is to make');
  const json: unknown = JSON.parse((await place.run(['plan', manifest, '--json'])).stdout);
  expect(json).toMatchObject({ items: 5, toMake: 3, archived: 2, begun: 0, credits: 24 });
  for (const line of told.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);

  const nowhere = await place.run(['plan', manifest, '--archive', `${manifest}/no-folder`]);
  expect(nowhere).toMatchObject({ code: 0, stdout: expect.stringContaining('the archive was not to be asked') });
});

/** The program with a text on its stdin. */
async function piped(
  { folder, env }: Place,
  text: string,
  ...args: string[]
): Promise<{ code: number; stderr: string }> {
  const child = spawn(process.execPath, [...COMMAND, ...args], { cwd: folder, env, stdio: ['pipe', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    stderr += part;
  });
  child.stdin.end(text);
  const [code] = await once(child, 'close');
  return { code, stderr };
}
