import { copyFile, readdir, rm, writeFile } from 'node:fs/promises';
import { expect, it, vi } from 'vitest';
import { BATCH, openRig, prompts, type Rig } from './rig.ts';

const WINDOW = { FEED_WINDOW: '5' };

/** The items files of the batch, as paths. */
async function itemsFiles({ connections: { archive } }: Rig): Promise<string[]> {
  const folder = `${archive.url}/${BATCH}`;
  return (await readdir(folder)).filter((name) => name.startsWith('items-')).map((name) => `${folder}/${name}`);
}

const LOSSES: [what: string, lose: (path: string) => Promise<void>][] = [
  ['is missing', (path) => rm(path)],
  ['is damaged', (path) => writeFile(path, 'not gzip')],
  ['is empty', (path) => writeFile(path, '')],
];

it.each(LOSSES)('a batch whose items file %s goes on when its manifest is enqueued again', async (_, lose) => {
  const rig = await openRig({ env: WINDOW });
  const file = await rig.manifest(prompts(25));
  await rig.enqueue(file);
  for (const path of await itemsFiles(rig)) await lose(path);
  expect(await rig.run(['plan', file])).toMatchObject({ code: 0, stderr: expect.not.stringContaining('items-') });
  expect(await rig.run(['enqueue', file, '--yes'])).toMatchObject({ code: 0 });
  expect(await rig.counts()).toMatchObject({ total: 25, items: { queued: 25 } });
  await rig.work();
  expect((await rig.ended()).items).toMatchObject({ archived: 25 });
  expect(rig.submits()).toBe(25);
});

it('with an edited manifest it goes on with what that has', async () => {
  const rig = await openRig({ env: WINDOW });
  await rig.enqueue(await rig.manifest(prompts(25)));
  for (const path of await itemsFiles(rig)) await rm(path);
  expect(await rig.run(['enqueue', await rig.manifest(prompts(28)), '--yes'])).toMatchObject({ code: 0 });
  await rig.work();
  expect((await rig.ended()).items).toMatchObject({ archived: 28 });
  expect(rig.submits()).toBe(28);
});

it('until then its items are told as lost, with what to do, and other batches go on', async () => {
  const rig = await openRig({ env: WINDOW });
  const file = await rig.manifest(prompts(25));
  await rig.enqueue(file);
  for (const path of await itemsFiles(rig)) await rm(path);
  await rig.work();
  await vi.waitFor(async () => expect(await rig.counts()).toMatchObject({ orphans: 20, items: { archived: 5 } }));
  await rig.enqueue(file);
  expect((await rig.ended()).items).toMatchObject({ archived: 25 });
  expect(await rig.counts()).toMatchObject({ orphans: 0 });
});

it('a file that is put back is fed by any process, and told as lost no more', async () => {
  const rig = await openRig({ env: WINDOW });
  await rig.enqueue(await rig.manifest(prompts(25)));
  const [path = ''] = await itemsFiles(rig);
  const kept = `${path}.kept`;
  await copyFile(path, kept);
  await rm(path);
  const first = await rig.work();
  await vi.waitFor(async () => expect(await rig.counts()).toMatchObject({ orphans: 20, items: { archived: 5 } }));
  await first.drain(20_000);
  await copyFile(kept, path);
  await rig.work();
  expect((await rig.ended()).items).toMatchObject({ archived: 25 });
  expect(await rig.counts()).toMatchObject({ orphans: 0 });
});
