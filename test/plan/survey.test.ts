import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Archive } from '../../src/archive/archive.ts';
import { updateBatchFile } from '../../src/archive/batch-file.ts';
import { folderArchive } from '../../src/archive/folder.ts';
import { itemsFileWriter } from '../../src/archive/items-file.ts';
import { layout } from '../../src/archive/layout.ts';
import { recordsIn } from '../../src/archive/records.ts';
import { FluxError } from '../../src/errors.ts';
import { failedRecord, requeuedRecord } from '../../src/items/transitions.ts';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
import { survey } from '../../src/plan/survey.ts';
import { collected, written } from '../manifest/written.ts';
import { archivedRecordOf } from '../results/sample-batch.ts';

const MANIFEST = `version: 1
batch: b
jobs:
  - { id: "{{ n }}", prompt: "A {{ n }}", matrix: { n: [lamp, vase, bowl] } }
  - { id: dear, prompt: A teapot, model: flux-kontext-max }
`;

async function batch() {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-survey-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const { manifest } = await openManifest(join(await written({ 'jobs.yaml': MANIFEST }), 'jobs.yaml'));
  const items = await collected(expand(manifest));
  const archive = folderArchive(folder);
  const put = (key: string) => archive.write(key, Buffer.from('x'), { contentType: 'text/plain' });
  const look = (open: () => Promise<Archive> = async () => archive) =>
    survey(open, 'b', () => expand(manifest), { onUnknown: 'hold', storedTtlMs: 1_000 });
  return { items, put, look, archive };
}

test('an archive without the batch leaves everything to make', async () => {
  const { look } = await batch();
  const left = { 'flux-kontext-pro': 3, 'flux-kontext-max': 1 };
  expect(await look()).toEqual({
    kind: 'looked',
    archived: 0,
    adopted: 0,
    begun: 0,
    missing: 0,
    unreadable: 0,
    unread: 0,
    left,
    waiting: {},
  });
});

test('what has record and image is archived, what has a record only goes by its state', async () => {
  const { items, put, look, archive } = await batch();
  const [lamp, vase, bowl] = items;
  if (!lamp || !vase || !bowl) throw new Error('the manifest has others');
  const queuedAt = Date.now();
  const { name, request, variant } = lamp;
  await recordsIn(archive).write({ ...archivedRecordOf('b', { name, request, variant }), id: lamp.id });
  await put(layout.image('b', lamp.id, 'jpeg'));
  const failure = { class: 'content-policy' as const, message: 'no' };
  await recordsIn(archive).write(failedRecord({ ...vase, queuedAt }, undefined, failure));
  const failed = failedRecord({ ...bowl, queuedAt }, undefined, failure);
  await recordsIn(archive).write(requeuedRecord(failed));
  await put(layout.record('b', 'of-a-former-manifest-0123456789ab'));
  const left = { 'flux-kontext-pro': 1, 'flux-kontext-max': 1 };
  const difference = { toMake: 1, recorded: 4, changed: { count: 0 }, renamed: { count: 0 } };
  expect(await look()).toMatchObject({ kind: 'looked', archived: 1, begun: 1, unread: 0, left, difference });
});

test('an image that is gone from the archive is told apart, and not made again', async () => {
  const { items, put, look, archive } = await batch();
  const [lamp, vase] = items;
  if (!lamp || !vase) throw new Error('the manifest has others');
  for (const item of [lamp, vase]) {
    const { name, request, variant } = item;
    await recordsIn(archive).write({ ...archivedRecordOf('b', { name, request, variant }), id: item.id });
  }
  await put(layout.image('b', vase.id, 'png'));
  const left = { 'flux-kontext-pro': 1, 'flux-kontext-max': 1 };
  expect(await look()).toMatchObject({ kind: 'looked', archived: 1, begun: 0, missing: 1, left });
});

test('a record that cannot be read is no archived image, whether its image is there or not', async () => {
  const { items, put, look } = await batch();
  const [lamp, vase] = items;
  if (!lamp || !vase) throw new Error('the manifest has others');
  await put(layout.record('b', lamp.id));
  await put(layout.image('b', lamp.id, 'jpeg'));
  await put(layout.record('b', vase.id));
  const left = { 'flux-kontext-pro': 1, 'flux-kontext-max': 1 };
  expect(await look()).toMatchObject({ kind: 'looked', archived: 0, begun: 0, missing: 0, unreadable: 2, left });
});

test('an archive that fails is told of, and is no error', async () => {
  const { look, archive } = await batch();
  const failing: Archive = {
    ...archive,
    async marks() {
      throw new FluxError('archive-unreachable', 'S3 does not answer');
    },
  };
  expect(await look(async () => failing)).toEqual({ kind: 'unreachable', message: 'S3 does not answer' });
  const noSuch = async () => {
    throw new Error('no such bucket');
  };
  expect(await look(noSuch)).toEqual({ kind: 'unreachable', message: 'no such bucket' });
});

test('what an earlier run left waiting is priced at the provider that is to make it', async () => {
  const { archive, look } = await batch();
  const earlier = `version: 1
batch: b
jobs:
  - { id: direct, prompt: A jug, provider: bfl, model: flux-2-pro, parameters: { width: 2048, height: 1024 } }
  - { id: either, prompt: A pot, provider: [kie, bfl] }
`;
  const { manifest } = await openManifest(join(await written({ 'jobs.yaml': earlier }), 'jobs.yaml'));
  const file = itemsFileWriter(archive, 'b');
  onTestFinished(() => file.close());
  await file.add(await collected(expand(manifest)));
  const { name } = await file.commit();
  const settings = { apiUrl: 'http://127.0.0.1', rateLimit: '20/10s', onUnknown: 'hold' as const };
  await updateBatchFile(archive, 'b', () => ({
    ...{ version: 1, batch: 'b', manifestDigest: 'x', created: new Date(0).toISOString(), settings },
    manifest: { items: [name], isWhole: true },
  }));
  expect(await look()).toMatchObject({
    waiting: {
      'bfl/flux-2-pro?height=1024&width=2048': 1,
      'flux-kontext-pro or bfl/flux-kontext-pro': 1,
    },
  });
});
