import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Archive } from '../../src/archive/archive.ts';
import { folderArchive } from '../../src/archive/folder.ts';
import { layout } from '../../src/archive/layout.ts';
import { FluxError } from '../../src/errors.ts';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
import { survey } from '../../src/plan/survey.ts';
import { collected, written } from '../manifest/written.ts';

const MANIFEST = `version: 1
batch: b
jobs:
  - { id: "{{ n }}", prompt: "A {{ n }}", matrix: { n: [lamp, vase, bowl] } }
  - { id: dear, prompt: A teapot, model: flux-kontext-max }
`;

async function batch() {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-survey-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { manifest, totals } = await openManifest(join(await written({ 'jobs.yaml': MANIFEST }), 'jobs.yaml'));
  const items = await collected(expand(manifest));
  const archive = folderArchive(folder);
  const put = (key: string) => archive.write(key, Buffer.from('x'), { contentType: 'text/plain' });
  const look = (open: () => Promise<Archive> = async () => archive) =>
    survey(open, 'b', () => expand(manifest), totals.byModel);
  return { items, put, look, archive };
}

test('an archive without the batch leaves everything to make', async () => {
  const { look } = await batch();
  const left = { 'flux-kontext-pro': 3, 'flux-kontext-max': 1 };
  expect(await look()).toEqual({ kind: 'looked', archived: 0, begun: 0, left });
});

test('what has record and image is archived, what has a record only was begun', async () => {
  const { items, put, look } = await batch();
  const [lamp, vase] = items.map(({ id }) => id);
  await put(layout.record('b', lamp ?? ''));
  await put(layout.image('b', lamp ?? '', 'jpeg'));
  await put(layout.record('b', vase ?? ''));
  await put(layout.record('b', 'of-a-former-manifest-0123456789ab'));
  const left = { 'flux-kontext-pro': 1, 'flux-kontext-max': 1 };
  expect(await look()).toEqual({ kind: 'looked', archived: 1, begun: 1, left });
});

test('an archive that fails is told of, and is no error', async () => {
  const { look, archive } = await batch();
  const failing: Archive = {
    ...archive,
    // biome-ignore lint/correctness/useYield: it fails before
    async *list() {
      throw new FluxError('archive-unreachable', 'S3 does not answer');
    },
  };
  expect(await look(async () => failing)).toEqual({ kind: 'unreachable', message: 'S3 does not answer' });
  const noSuch = async () => {
    throw new Error('no such bucket');
  };
  expect(await look(noSuch)).toEqual({ kind: 'unreachable', message: 'no such bucket' });
});
