import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { photo } from '../manifest/photo.ts';
import { countBy, recordsOf } from './archived.ts';
import { accepted } from './ledger.ts';
import { each, photosIn, taken } from './photos.ts';
import { openPlace } from './place.ts';

/** Three photos; the provider refuses the one whose name is in its prompt. */
async function openEdits(context: TestContext) {
  const place = await openPlace(context);
  const digests = await photosIn(place, 3);
  await rename(join(place.folder, 'photos/p1.jpg'), join(place.folder, 'photos/forbidden.jpg'));
  const said = async (code: number, ...args: string[]) => {
    const exit = await place.run(args);
    expect(exit.code, exit.stderr).toBe(code);
    return exit;
  };
  await said(1, 'run', 'edits.yaml', '--yes');
  const records = await recordsOf(place, 'edits');
  const idOf = (name: string) => records.find((record) => record.name === name)?.id ?? '';
  const inputs = join(place.folder, 'archive/edits/inputs');
  const loseInput = (at: number) => rm(join(inputs, `${digests[at]}.jpg`));
  const countNow = async () => countBy(await recordsOf(place, 'edits'));
  return { place, digests, said, idOf, inputs, loseInput, countNow };
}

test('retry and redo need neither the photos nor the manifest that an item came from', async (context) => {
  const { place, digests, said, countNow } = await openEdits(context);
  const worker = place.start(['worker']);
  await rm(join(place.folder, 'photos'), { recursive: true });
  await rm(join(place.folder, 'edits.yaml'));
  expect((await said(0, 'retry', 'edits', '--yes')).stderr).toContain('1 item queued');
  await said(0, 'redo', 'edits', 'p0', '--yes');
  await expect.poll(countNow, { timeout: 300_000 }).toEqual({ archived: 3, failed: 1 });
  worker.kill('SIGTERM');
  await worker.exit();
  expect(taken(place)).toEqual({ ...each(digests.filter((_, at) => at !== 1)), [digests[0] ?? '']: 2 });
});

test('where a stored picture is gone, retry and redo say so and submit nothing; to enqueue the manifest stores it again', async (context) => {
  const { place, digests, said, idOf, inputs, loseInput, countNow } = await openEdits(context);
  await loseInput(0);
  await loseInput(1);
  const retried = await said(1, 'retry', 'edits', '--yes', '--json');
  expect(JSON.parse(retried.stdout)).toMatchObject({ retried: 0, lacking: [idOf('forbidden')] });
  expect(retried.stderr).toContain(
    `${idOf('forbidden')}: its picture inputs/${digests[1]}.jpg is not in the archive any more; left as it is`,
  );
  expect(retried.stderr).toContain('flux-batch enqueue <manifest>');
  const redone = await said(2, 'redo', 'edits', 'p0', '--yes');
  expect(redone.stderr).toContain(`${idOf('p0')}: its picture inputs/${digests[0]}.jpg is not in the archive any more`);
  expect(redone.stderr).toContain('flux-batch enqueue <manifest>');
  expect(await countNow()).toEqual({ archived: 2, failed: 1 });

  await said(0, 'enqueue', 'edits.yaml', '--yes');
  expect((await readdir(inputs)).sort()).toEqual(digests.map((digest) => `${digest}.jpg`).sort());
  await said(0, 'retry', 'edits', '--yes');
  await said(0, 'redo', 'edits', 'p0', '--yes');
  await said(1, 'run', 'edits.yaml', '--yes');
  expect(await countNow()).toEqual({ archived: 3, failed: 1 });
  expect(accepted(place)).toBe(3);
});

test('a manifest in another folder, with photos under other names, is the same batch; a changed photo is another item', async (context) => {
  const { place, digests, said, countNow } = await openEdits(context);
  await mkdir(join(place.folder, 'elsewhere'));
  for (const name of ['edits.yaml', 'photos'])
    await rename(join(place.folder, name), join(place.folder, 'elsewhere', name));
  await said(0, 'forget', 'edits');
  await said(1, 'run', 'elsewhere/edits.yaml', '--yes');
  expect(await countNow()).toEqual({ archived: 2, failed: 1 });
  await writeFile(join(place.folder, 'elsewhere/photos/p0.jpg'), await photo('teal'));
  const planned = JSON.parse((await said(0, 'plan', 'elsewhere/edits.yaml', '--json')).stdout);
  expect(planned).toMatchObject({ toMake: 1, difference: { changed: { count: 1 } } });
  expect(JSON.stringify(planned.difference.changed)).toContain('inputImage');
  await said(1, 'run', 'elsewhere/edits.yaml', '--yes');
  expect(await countNow()).toEqual({ archived: 3, failed: 1 });
  await rm(join(place.folder, 'elsewhere/photos/p2.jpg'));
  await said(1, 'run', 'elsewhere/edits.yaml', '--yes');
  expect(accepted(place)).toBe(3);
  expect(Object.keys(taken(place))).toHaveLength(3);
  expect(digests).toHaveLength(3);
});

test('rescue asks for what was paid for without any picture, in the archive or outside', async (context) => {
  const place = await openPlace(context, { simulator: { medianMs: 2_000 } });
  await photosIn(place, 3);
  const running = place.start(['run', 'edits.yaml', '--yes']);
  const submitted = async () => (countBy(await recordsOf(place, 'edits')).submitted ?? 0) === 3;
  await expect.poll(submitted, { timeout: 300_000 }).toBe(true);
  running.kill('SIGKILL');
  await running.exit();
  await rm(join(place.folder, 'photos'), { recursive: true });
  await rm(join(place.folder, 'archive/edits/inputs'), { recursive: true });
  const { code, stderr } = await place.run(['rescue', 'edits']);
  expect(code, stderr).toBe(0);
  expect(countBy(await recordsOf(place, 'edits'))).toEqual({ archived: 3 });
  expect(accepted(place)).toBe(3);
  // The images come home without the pictures that they were made from.
  const home = await place.run(['results', 'edits', '--out', 'home']);
  expect(home.code, home.stderr).toBe(0);
  expect(await readdir(join(place.folder, 'home/images'))).toHaveLength(3);
});

test('adopt takes the pictures along into another batch: its takes are made from them, whatever becomes of the first', async (context) => {
  const { place, digests, said, inputs } = await openEdits(context);
  await place.write(
    'other.yaml',
    'version: 1\nbatch: other\njobs: [{ id: "{{ name }}", prompt: "Put it on a table, {{ name }}", inputs: "photos/*.jpg" }]\n',
  );
  await said(0, 'adopt', 'other.yaml', '--from', 'edits', '--yes');
  await rm(inputs, { recursive: true });
  expect((await readdir(join(place.folder, 'archive/other/inputs'))).sort()).toEqual(
    [`${digests[0]}.jpg`, `${digests[2]}.jpg`].sort(),
  );
  await said(1, 'run', 'other.yaml', '--yes');
  await said(0, 'redo', 'other', 'p0', '--yes');
  await said(1, 'run', 'other.yaml', '--yes');
  expect(countBy(await recordsOf(place, 'other'))).toEqual({ archived: 3, failed: 1 });
  expect(accepted(place)).toBe(3);
});
