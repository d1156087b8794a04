import { createHash } from 'node:crypto';
import { CopyObjectCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import type { DropPlace } from '../../src/archive/drops.ts';
import { startDeployment } from '../server/deployment.ts';
import { manifestOf, openS3Inbox, reportOf, watch, zipOf } from './stand.ts';

/** As another program puts it there. */
function dropper(bucket: string) {
  const { endpoint, ...credentials } = inject('s3');
  const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
  onTestFinished(() => client.destroy());
  const at = (key: string) => ({ Bucket: bucket, Key: `drops/${key}` });
  return {
    put: (key: string, Body: string | Uint8Array) => client.send(new PutObjectCommand({ ...at(key), Body })),
    copy: (from: string, to: string) =>
      client.send(new CopyObjectCommand({ ...at(to), CopySource: `${bucket}/drops/${from}` })),
    remove: (key: string) => client.send(new DeleteObjectCommand(at(key))),
  };
}

const noteOf = (path: string) => createHash('sha256').update(path).digest('hex').slice(0, 32);

const left = async (place: DropPlace) =>
  (await place.drops(['accepted', 'waiting', 'rejected'])).map(({ name }) => name);

test('in a bucket a manifest, a folder and a zip are taken, each is moved whole, and the same again is another drop', async () => {
  const stand = await startDeployment();
  const { place, bucket } = openS3Inbox();
  await place.prepare();
  const s3 = dropper(bucket);
  const manifest = (batch: string) =>
    JSON.stringify({ version: 1, batch, jobs: [{ id: '{{ subject }}', prompt: 'A {{ subject }}', rows: 'rows.csv' }] });
  const rows = 'subject\npear\nplum\n';
  const text = manifestOf('single');
  await s3.put('a name with spaces.yaml', text);
  await s3.put('folder/sub/rows.csv', rows);
  await s3.put('folder/jobs.yaml', manifest('folder').replace('rows.csv', 'sub/rows.csv'));
  await s3.put('folder/.ready', '');
  await s3.put('zipped.zip', zipOf({ 'jobs.yaml': manifest('zipped'), 'rows.csv': rows }));
  await s3.put('rows.csv', rows);
  watch(place, stand.connections);
  const single = await reportOf(place, 'accepted', 'a name with spaces.yaml');
  const folder = await reportOf(place, 'accepted', 'folder');
  expect((await reportOf(place, 'accepted', 'zipped.zip')).plan?.items).toBe(2);
  await reportOf(place, 'rejected', 'rows.csv');
  await vi.waitFor(async () => expect(await left(place)).toEqual([]));
  expect((await place.read(`accepted/${single.take}/a name with spaces.yaml`))?.toString()).toBe(text);
  expect((await place.read(`accepted/${folder.take}/folder/sub/rows.csv`))?.toString()).toBe(rows);
  expect(await place.moving()).toEqual([]);

  await s3.put('again.yaml', text);
  expect((await reportOf(place, 'accepted', 'again.yaml')).plan).toMatchObject({ items: 1, toMake: 0 });
});

test('a move whose process died among its removals is gone on with, and what was left is no drop', async () => {
  const stand = await startDeployment();
  const { place, bucket } = openS3Inbox();
  await place.prepare();
  const s3 = dropper(bucket);
  await s3.put('folder/jobs.yaml', manifestOf('moved'));
  await s3.put('folder/rows.csv', 'a\n1\n');
  const [drop] = await place.drops([]);
  if (!drop) throw new Error('no drop');
  // As it is when all copies stand and one source is removed.
  await s3.copy('folder/jobs.yaml', 'accepted/x/folder/jobs.yaml');
  await s3.copy('folder/rows.csv', 'accepted/x/folder/rows.csv');
  const files = drop.files.map(({ path, version }) => ({ path, version, to: `accepted/x/${path}` }));
  await s3.put(`.flux-batch/moves/${noteOf('folder')}.json`, JSON.stringify({ drop: 'folder', isFolder: true, files }));
  await s3.remove('folder/jobs.yaml');
  expect(await place.moving()).toEqual(['folder']);
  const { taken } = watch(place, stand.connections);
  await vi.waitFor(async () => expect(await left(place)).toEqual([]));
  expect(taken).toEqual([]);
  expect(await place.names('rejected')).toEqual([]);
});
