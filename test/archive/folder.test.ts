import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, type TestContext, test } from 'vitest';
import { folderArchive } from '../../src/archive/folder.ts';
import { listed } from './listed.ts';

const TEXT = { contentType: 'text/plain' };
const ADDER = fileURLToPath(new URL('adder.mjs', import.meta.url));

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-folder-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

/** A disk of its own for the test; skipped, with the reason, where mounting is not permitted. */
async function mountSmallDisk(context: TestContext, options: string): Promise<string> {
  const folder = await newFolder();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { encoding: 'utf8' });
  if (mounted.status !== 0)
    context.skip(`mounting a small disk is not permitted here: ${mounted.stderr ?? mounted.error}`);
  onTestFinished(() => void spawnSync('umount', [folder]));
  return folder;
}

test('names the folder by its absolute path', () => {
  expect(folderArchive('archive').url).toBe(join(process.cwd(), 'archive'));
});

test('lists nothing of what a crash left behind', async () => {
  const folder = await newFolder();
  const archive = folderArchive(folder);
  await archive.write('b/items/a.json', Buffer.from('{}'), TEXT);
  await writeFile(join(folder, 'b/items/.flux-batch-0d4b9c1e.tmp'), 'half a rec');
  expect(await listed(archive, 'b/items/')).toEqual(['b/items/a.json']);
});

test('removes what killed processes left for an hour, and nothing else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-tidy-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const images = join(folder, 'spring', 'images');
  await mkdir(images, { recursive: true });
  const id = '0b8a7c1e-1d2f-4c3a-9b8e-7f6d5c4b3a29';
  const names = [`.flux-batch-${id}.tmp`, `.flux-batch-${id.replace('0', '1')}.tmp`, 'one.png', '.theirs.tmp'];
  for (const name of names) await writeFile(join(images, name), '');
  const long = new Date(Date.now() - 2 * 3_600_000);
  for (const name of names.filter((_, index) => index !== 1)) await utimes(join(images, name), long, long);
  expect(await folderArchive(folder).tidy('spring/')).toBe(1);
  expect((await readdir(images)).sort()).toEqual(names.slice(1).sort());
  expect(await folderArchive(folder).tidy('nowhere/')).toBe(0);
});

test('leaves no temporary file behind a write, a won and a lost create', async () => {
  const folder = await newFolder();
  const archive = folderArchive(folder);
  await archive.write('b/a', Buffer.from('1'), TEXT);
  await archive.create('b/b', Buffer.from('2'), TEXT);
  await archive.create('b/b', Buffer.from('3'), TEXT);
  expect(await readdir(join(folder, 'b'))).toEqual(['a', 'b']);
});

test('processes that replace one file together undo none of each other, also when one is killed with the lock', async () => {
  const folder = await newFolder();
  const archive = folderArchive(folder);
  await archive.write('b/a.json', Buffer.from('0'), TEXT);
  // A process that died within a replacement leaves its lock.
  const dead = spawn(process.execPath, ['--version']);
  await once(dead, 'exit');
  await writeFile(join(folder, 'b/.flux-batch-a.json.lock'), `${dead.pid} tag on ${hostname()}`);
  const adders = [1, 2, 3].map((_) =>
    spawn(process.execPath, [ADDER, folder, '20'], { stdio: ['ignore', 'ignore', 'inherit'] }),
  );
  for (const adder of adders) onTestFinished(() => void adder.kill('SIGKILL'));
  expect(await Promise.all(adders.map((adder) => once(adder, 'exit')))).toEqual([
    [0, null],
    [0, null],
    [0, null],
  ]);
  expect((await archive.read('b/a.json'))?.toString()).toBe('60');
  expect(await readdir(join(folder, 'b'))).toEqual(['a.json']);
});

test('a reader sees the old or the new version, never a part', async () => {
  const folder = await newFolder();
  const archive = folderArchive(folder);
  const versions = ['a', 'b'].map((letter) => Buffer.alloc(1_000_000, letter));
  const [first = Buffer.alloc(0)] = versions;
  await archive.write('b/a', first, TEXT);
  let writing = true;
  const writer = (async () => {
    for (let round = 0; round < 10; round++) for (const body of versions) await archive.write('b/a', body, TEXT);
    writing = false;
  })();
  const seen = new Set<string>();
  while (writing) {
    const body = await readFile(join(folder, 'b/a'));
    seen.add(versions.some((version) => version.equals(body)) ? 'whole' : `part of ${body.length}`);
  }
  await writer;
  expect([...seen]).toEqual(['whole']);
});

test('a full disk is archive-full, and what was there before stays', async (context) => {
  const folder = await mountSmallDisk(context, 'size=256k');
  const archive = folderArchive(folder);
  await archive.write('b/small', Buffer.from('whole'), TEXT);
  const large = Buffer.alloc(1_000_000);
  await expect(archive.write('b/small', large, TEXT)).rejects.toMatchObject({
    code: 'archive-full',
    message: `Cannot write to the archive folder ${folder}: no space is left on its disk`,
  });
  await expect(archive.create('b/large', large, TEXT)).rejects.toMatchObject({ code: 'archive-full' });
  expect((await archive.read('b/small'))?.toString()).toBe('whole');
  expect(await readdir(join(folder, 'b'))).toEqual(['small']);
});

test('a disk mounted read-only is archive-denied', async (context) => {
  const folder = await mountSmallDisk(context, 'ro');
  await expect(folderArchive(folder).prepare()).rejects.toMatchObject({
    code: 'archive-denied',
    message: `Cannot write to the archive folder ${folder}: the disk is mounted read-only`,
  });
});

test('a folder without the right to write is archive-denied', async (context) => {
  if (process.getuid?.() === 0) context.skip('root may write everywhere');
  const folder = await newFolder();
  await chmod(folder, 0o500);
  await expect(folderArchive(folder).prepare()).rejects.toMatchObject({ code: 'archive-denied' });
});

test('a file in the place of the folder is archive-denied', async () => {
  const folder = await newFolder();
  await writeFile(join(folder, 'file'), '');
  for (const path of ['file', 'file/below']) {
    await expect(folderArchive(join(folder, path)).prepare()).rejects.toMatchObject({
      code: 'archive-denied',
      message: expect.stringContaining('is a file, not a folder'),
    });
  }
});

test('a folder in the place of a record is an error and no missing record', async () => {
  const folder = await newFolder();
  await mkdir(join(folder, 'b/items/a.json'), { recursive: true });
  await expect(folderArchive(folder).read('b/items/a.json')).rejects.toMatchObject({ code: 'archive-denied' });
});
