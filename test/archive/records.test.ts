import { mkdir, mkdtemp, rm, rmdir, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findBatchFile, updateBatchFile } from '../../src/archive/batch-file.ts';
import { folderArchive } from '../../src/archive/folder.ts';
import { FileDeniedError } from '../../src/archive/folder-errors.ts';
import { findRecord } from '../../src/archive/read-records.ts';
import { recordsIn } from '../../src/archive/records.ts';
import type { ItemRecord } from '../../src/items/record.ts';

const JSON_TYPE = { contentType: 'application/json' };
const KEY = 'spring/items/lighthouse-1a2b3c4d.json';

async function open() {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-records-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const archive = folderArchive(folder);
  return { archive, records: recordsIn(archive) };
}

const claimed: ItemRecord = {
  version: 1,
  id: 'lighthouse-1a2b3c4d',
  name: 'lighthouse',
  batch: 'spring',
  variant: 1,
  priority: 0,
  variables: { color: 'крaсный' },
  request: { prompt: '灯塔 at dawn', model: 'flux-kontext-pro', outputFormat: 'png' },
  state: 'claimed',
  attempts: 1,
  earlierTaskIds: [],
  timings: { queued: '2026-03-01T10:00:00.000Z' },
};
const submitted: ItemRecord = { ...claimed, state: 'submitted', taskId: 'task-1' };

test('reads back a record as it was written', async () => {
  const { records } = await open();
  await records.write(submitted);
  expect(await records.read('spring', claimed.id)).toEqual(submitted);
});

test('has nothing of an item that was never claimed', async () => {
  const { records } = await open();
  expect(await records.read('spring', 'nobody-00000000')).toBeUndefined();
});

test('a second claim does not touch the first', async () => {
  const { records } = await open();
  expect(await records.create(claimed)).toBe(true);
  expect(await records.create({ ...claimed, attempts: 2 })).toBe(false);
  expect(await records.read('spring', claimed.id)).toEqual(claimed);
});

test('lists the items of a batch', async () => {
  const { archive, records } = await open();
  await records.write({ ...claimed, id: 'b-00000002' });
  await records.write({ ...claimed, id: 'a-00000001' });
  await records.write({ ...claimed, batch: 'summer' });
  await archive.write('spring/items/notes.txt', Buffer.from('of a person'), { contentType: 'text/plain' });
  const items: string[] = [];
  for await (const item of records.list('spring')) items.push(item);
  expect(items).toEqual(['a-00000001', 'b-00000002']);
});

test('a person can read a record', async () => {
  const { archive, records } = await open();
  await records.write(claimed);
  const text = (await archive.read(KEY))?.toString();
  expect(text).toContain('\n  "state": "claimed",\n');
  expect(text?.endsWith('}\n')).toBe(true);
});

test.each([
  ['half a record', '{"version": 1, "id": "lighth'],
  ['an empty file', ''],
  ['a record without its task', JSON.stringify({ ...submitted, taskId: undefined })],
  ['a record in a state of the future', JSON.stringify({ ...claimed, state: 'upscaled' })],
  ['the record of another item', JSON.stringify({ ...claimed, id: 'teapot-1a2b3c4d' })],
])('%s is record-corrupt, names the key, and is no free item', async (_, text) => {
  const { archive, records } = await open();
  await archive.write(KEY, Buffer.from(text), JSON_TYPE);
  await expect(records.read('spring', claimed.id)).rejects.toMatchObject({
    code: 'record-corrupt',
    message: expect.stringContaining(KEY),
    facts: { key: KEY },
  });
  expect(await records.create(claimed)).toBe(false);
});

test.each([
  ['a folder', (path: string) => mkdir(path, { recursive: true })],
  ['a circle of links', (path: string) => symlink(path, path)],
  ['a link to nothing', (path: string) => symlink('nothing.json', path)],
])('%s in the place of one record is that record alone, the others are read', async (_, put) => {
  const { archive, records } = await open();
  await records.write({ ...claimed, id: 'b-00000002' });
  await put(join(archive.url, KEY));
  await expect(records.read('spring', claimed.id)).rejects.toMatchObject({
    code: 'record-corrupt',
    found: { state: 'unreadable', key: KEY, message: expect.stringContaining(KEY) },
  });
  await expect(findRecord(records, 'spring', claimed.id)).resolves.toMatchObject({ state: 'unreadable' });
  await expect(findRecord(records, 'spring', 'b-00000002')).resolves.toMatchObject({ state: 'claimed' });
  await expect(records.create(claimed)).resolves.toBe(false);
});

test('a folder in the place of batch.json is told when the file is to be written, and a link to nothing is replaced', async () => {
  const { archive } = await open();
  const path = join(archive.url, 'spring/batch.json');
  await mkdir(path, { recursive: true });
  const file = {
    version: 1,
    batch: 'spring',
    manifestDigest: 'digest',
    created: new Date().toISOString(),
    settings: { apiUrl: 'https://api.example', rateLimit: '20/10s', onUnknown: 'hold' },
  } as const;
  await expect(updateBatchFile(archive, 'spring', () => file)).rejects.toThrow(FileDeniedError);
  await rmdir(path);
  await symlink('nothing.json', path);
  await updateBatchFile(archive, 'spring', (now) => {
    expect(now.kind).toBe('unreadable');
    return file;
  });
  expect(await findBatchFile(archive, 'spring')).toEqual({ kind: 'file', file });
});

test('a file of a batch that the system does not let read is unreadable, not missing', async () => {
  const { archive } = await open();
  await mkdir(join(archive.url, 'spring/batch.json'), { recursive: true });
  await expect(findBatchFile(archive, 'spring')).resolves.toMatchObject({
    kind: 'unreadable',
    message: expect.stringContaining('spring/batch.json'),
  });
});

test.each([
  ['', 'the file is empty'],
  ['{"version":1,', 'it is no JSON, as when it is cut off'],
  [
    JSON.stringify({ ...claimed, variant: 'x', timings: {} }),
    'it is not a record of ours: variant: .*; timings.queued: ',
  ],
])('what is wrong with a record is told in words: %s', async (text, words) => {
  const { archive, records } = await open();
  await archive.write(KEY, Buffer.from(text), JSON_TYPE);
  const told = await records.read('spring', 'lighthouse-1a2b3c4d').catch((error: Error) => error.message);
  expect(told).toMatch(new RegExp(`${KEY} in .* cannot be read: ${words}`));
  expect(told).not.toContain('\n');
});
