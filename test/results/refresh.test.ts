import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folderArchive } from '../../src/archive/folder.ts';
import { recordsIn } from '../../src/archive/records.ts';
import { writeIndex } from '../../src/results/write-index.ts';
import { run } from '../commands/cli.ts';
import { newFolder } from './folders.ts';
import { archivedRecordOf, failedRecordOf, PRICES, storeBatchFile, storeItem } from './sample-batch.ts';

async function openBatch() {
  const root = await newFolder();
  const archive = folderArchive(root);
  const records = recordsIn(archive);
  await storeBatchFile(archive, 'spring');
  await storeItem(archive, archivedRecordOf('spring', { name: 'hero' }));
  await records.write(failedRecordOf('spring', 'pot', 'no'));
  const file = (name: string) => join(root, 'spring', name);
  return {
    archive,
    records,
    file,
    results: (...args: string[]) => run({ ARCHIVE_URL: root }, 'results', 'spring', ...args),
    rows: async () => (await readFile(file('results.csv'), 'utf8')).split('\n').length - 2,
    /** Changes with every writing, since the files are replaced. */
    written: async () => (await stat(file('index.html'))).ino,
  };
}

test('writes the index anew when records are not those it was written from, and leaves a fresh one alone', async () => {
  const { archive, records, results, rows, written } = await openBatch();
  expect(await results()).toMatchObject({ code: 0, stderr: expect.stringContaining('written anew') });
  expect(await rows()).toBe(2);
  const first = await written();
  expect(await results('--format', 'csv')).toMatchObject({ code: 0, stderr: '' });
  expect(await results('--where', 'state=failed')).toMatchObject({ code: 0, stderr: '' });
  expect(await written()).toBe(first);

  await storeItem(archive, archivedRecordOf('spring', { name: 'pot' }));
  expect((await results('--no-refresh')).stderr).toBe('');
  expect(await written()).toBe(first);
  // Of all records, whatever was chosen of them.
  const chosen = await results('--where', 'name=hero');
  expect(chosen.stdout.trim().split('\n')).toHaveLength(1);
  expect(chosen.stderr).toContain('written anew');
  expect(await rows()).toBe(2);

  await writeIndex('spring', { archive, records, prices: PRICES });
  expect((await results()).stderr).toBe('');
});

test('brings the index up to date when it collects as well', async () => {
  const { file, results, rows } = await openBatch();
  const out = join(await newFolder(), 'out');
  expect(await results('--out', out)).toMatchObject({ code: 0, stderr: expect.stringContaining('written anew') });
  expect(await rows()).toBe(2);
  expect(await readFile(join(out, 'results.csv'), 'utf8')).not.toBe(await readFile(file('results.csv'), 'utf8'));
});

test('lists all the same where the index cannot be written, and says so', async () => {
  const { file, results } = await openBatch();
  // Root may write into any folder, but not put a file in place of one.
  await mkdir(file('results.jsonl'));
  await writeFile(join(file('results.jsonl'), 'in-the-way'), '');
  const { code, stdout, stderr } = await results();
  expect(code).toBe(0);
  expect(stdout.trim().split('\n')).toHaveLength(2);
  expect(stderr).toMatch(/^note: the index of spring .* stays so: Cannot write to the archive folder/);
  await rm(file('results.jsonl'), { recursive: true });
  expect((await results()).stderr).toContain('written anew');
});
