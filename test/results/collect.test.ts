import { spawn } from 'node:child_process';
import { once, setMaxListeners } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import pLimit from 'p-limit';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import type { Archive } from '../../src/archive/archive.ts';
import { folderArchive } from '../../src/archive/folder.ts';
import { readRecords } from '../../src/archive/read-records.ts';
import { recordsIn } from '../../src/archive/records.ts';
import { type CollectedImage, collect } from '../../src/results/collect.ts';
import { namedById, namedForPeople } from '../../src/results/file-names.ts';
import { writeIndexFiles } from '../../src/results/write-index.ts';
import { openS3 } from '../archive/buckets.ts';
import { COMMAND } from '../services/program.ts';
import { newFolder } from './folders.ts';
import { archivedRecordOf, storeBatchFile, storeItem } from './sample-batch.ts';

async function bring(from: Archive, out: string, signal: AbortSignal, onImage: (image: CollectedImage) => void) {
  const to = folderArchive(out);
  const records = readRecords(recordsIn(from), 'spring', recordsIn(from).list('spring'), signal);
  const collected = collect(records, from, to, { nameOf: namedById, width: 8, signal, onImage });
  await writeIndexFiles('spring', collected, { archive: to, folder: '' });
}

test('brings 60 images from a bucket, stopped in the middle and started again, complete and verified', async () => {
  const archive = openS3();
  await archive.prepare();
  const limit = pLimit(8);
  const wanted = Array.from({ length: 60 }, (_, n) => archivedRecordOf('spring', { name: `item-${n + 1}` }));
  const stored = await Promise.all(wanted.map((record) => limit(() => storeItem(archive, record))));
  const out = await newFolder();

  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal);
  let seen = 0;
  const stopped = bring(archive, out, stopping.signal, () => {
    if (++seen === 20) stopping.abort(new Error('stopped'));
  });
  await expect(stopped).rejects.toThrow('stopped');
  const half = (await readdir(join(out, 'images'))).length;
  expect(half).toBeGreaterThanOrEqual(20);
  expect(half).toBeLessThan(50);

  const counts = { brought: 0, kept: 0, lost: 0 };
  const again = new AbortController();
  setMaxListeners(0, again.signal);
  await bring(archive, out, again.signal, ({ kind }) => counts[kind]++);
  expect(counts.kept).toBeGreaterThanOrEqual(20);
  expect(counts).toMatchObject({ brought: 60 - counts.kept, lost: 0 });

  expect(await readdir(join(out, 'images'))).toHaveLength(60);
  const rows: Record<string, string>[] = parse(await readFile(join(out, 'results.csv')), { columns: true });
  expect(rows).toHaveLength(60);
  const first = stored.find(({ id }) => id === rows[0]?.id);
  expect(rows[0]).toMatchObject({ image: `images/${first?.id}.png`, sha256: first?.sha256 });
  expect(await sharp(join(out, rows[0]?.image ?? '')).metadata()).toMatchObject({ width: 40, height: 30 });
});

test('brings an image again that was spoiled here, and tells of one that was spoiled in the archive', async () => {
  const archive = folderArchive(await newFolder());
  const good = await storeItem(archive, archivedRecordOf('spring', { name: 'good' }));
  const bad = await storeItem(archive, archivedRecordOf('spring', { name: 'bad' }));
  const gone = archivedRecordOf('spring', { name: 'gone' });
  await recordsIn(archive).write(gone);
  const out = await newFolder();
  await bring(archive, out, new AbortController().signal, () => {});
  await writeFile(join(out, namedById(good)), 'spoiled');
  await archive.write(bad.image, Buffer.from('spoiled'), { contentType: 'image/png' });
  await writeFile(join(out, namedById(bad)), '');

  const told: string[] = [];
  await bring(archive, out, new AbortController().signal, ({ kind, item, message }) => {
    told.push(`${item.split('-')[0]} ${kind}${message ? `: ${message.replace(/^\S+ /, '')}` : ''}`);
  });
  expect(told.sort()).toEqual([
    'bad lost: is not what was archived: its sha256 differs',
    'gone lost: is not in the archive',
    'good brought',
  ]);
});

test('names for people never collide', () => {
  const nameOf = namedForPeople();
  const heroes = [
    archivedRecordOf('spring', { name: 'Hero!' }),
    archivedRecordOf('spring', { name: 'hero' }),
    archivedRecordOf('spring', { name: 'hero', variant: 2 }),
  ];
  expect(heroes.map(nameOf)).toEqual(['hero-1.png', `${heroes[1]?.id}.png`, 'hero-2.png']);
});

test('the command brings what was asked for under plain names', async () => {
  const root = await newFolder();
  const archive = folderArchive(root);
  await storeBatchFile(archive, 'spring');
  for (const color of ['red', 'blue']) {
    await storeItem(archive, archivedRecordOf('spring', { name: `pot-${color}`, variables: { color } }));
  }
  const out = await newFolder();
  const { code, stdout, stderr } = await fluxBatch(
    'results',
    'spring',
    '--archive',
    root,
    '--out',
    out,
    '--flat',
    '--where',
    'color=red',
  );
  expect(stderr).toContain('1 image');
  expect([code, stdout]).toEqual([0, '']);
  expect(await readdir(out)).toEqual(
    expect.arrayContaining(['pot-red-1.png', 'index.html', 'results.csv', 'results.jsonl', 'contact-sheet.webp']),
  );
  expect(await readdir(out)).not.toContain('pot-blue-1.png');

  expect(await fluxBatch('results', 'spring', '--archive', root, '--where', 'colour=red')).toMatchObject({ code: 2 });
  expect(await fluxBatch('results', 'spring', '--archive', root, '--out', join(root, 'x'))).toMatchObject({ code: 2 });
  const listed = await fluxBatch('results', 'spring', '--archive', root, '--where', 'color=blue');
  expect(
    listed.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).name),
  ).toEqual(['pot-blue']);
});

async function fluxBatch(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [...COMMAND, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  await once(child, 'close');
  return { code: child.exitCode, stdout, stderr };
}
