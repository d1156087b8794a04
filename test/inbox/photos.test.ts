import { createHash } from 'node:crypto';
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { zipSync } from 'fflate';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { photo } from '../manifest/photo.ts';
import { startDeployment } from '../server/deployment.ts';
import { openFolderInbox, openS3Inbox, reportOf, watch } from './stand.ts';

test('photos of a zip that its manifest names are started from, and the others are told of', async () => {
  const deployment = await startDeployment();
  const inbox = await openFolderInbox();
  await deployment.addWorkers();
  watch(inbox.place, deployment.connections);
  const photos = [await photo('red'), await photo('blue')];
  const manifest = { version: 1, batch: 'edits', jobs: [{ prompt: 'On a table, {{ name }}', inputs: 'photos/*.jpg' }] };
  const [red = Buffer.alloc(0), blue = Buffer.alloc(0)] = photos;
  const zip = {
    'jobs.json': Buffer.from(JSON.stringify(manifest)),
    'photos/red.jpg': red,
    'photos/blue.jpg': blue,
    'photos/notes.txt': Buffer.from('x'),
  };
  await inbox.drop('edits.zip', zipSync(zip));
  const report = await vi.waitFor(async () => {
    const found = await reportOf(inbox.place, 'accepted', 'edits.zip');
    expect(found.status).toBe('ended');
    return found;
  });
  expect(report.end).toMatchObject({ items: { archived: 2 } });
  const digests = photos.map((body) => createHash('sha256').update(body).digest('hex')).sort();
  expect(
    deployment.simulator
      .ledger()
      .inputLog.map(({ sha256 }) => sha256)
      .sort(),
  ).toEqual(digests);
  expect((await readdir(join(deployment.folder, 'edits/inputs'))).sort()).toEqual(digests.map((one) => `${one}.jpg`));
  expect(report.text).toContain('1 file is not used by the manifest: photos/notes.txt');
  expect(report.text).not.toContain('red.jpg');
});

const manifestOf = (batch: string) =>
  JSON.stringify({
    version: 1,
    batch,
    jobs: [{ id: '{{ p }}', prompt: 'On a table', inputImage: 'photos/{{ p }}.jpg', matrix: { p: ['red', 'blue'] } }],
  });
const digestOf = (body: Buffer) => createHash('sha256').update(body).digest('hex');

/** The digests of all pictures that tasks were started from. */
const startedFrom = (deployment: Awaited<ReturnType<typeof startDeployment>>) =>
  deployment.simulator.ledger().inputLog.map(({ sha256 }) => sha256);

test('a folder whose photo is missing is rejected by its line; put right, it is taken, and needs its photos no more', async () => {
  const deployment = await startDeployment();
  const inbox = await openFolderInbox();
  watch(inbox.place, deployment.connections);
  const [red, blue] = [await photo('red'), await photo('blue')];
  await inbox.dropFolder('missing', { 'jobs.json': manifestOf('missing'), 'photos/red.jpg': red });
  const rejected = await reportOf(inbox.place, 'rejected', 'missing');
  expect(rejected.mistakes).toMatchObject([
    { file: 'jobs.json', line: 1, message: 'photos/blue.jpg: there is no such file' },
  ]);

  const back = join(inbox.folder, 'rejected', rejected.take, 'missing');
  await vi.waitFor(async () => expect(await readdir(back)).toContain('photos'));
  await writeFile(join(back, 'photos/blue.jpg'), blue);
  await rename(back, join(inbox.folder, 'mended'));
  const accepted = await reportOf(inbox.place, 'accepted', 'mended');
  expect(accepted.plan).toMatchObject({ items: 2, toMake: 2 });
  const there = join(inbox.folder, 'accepted', accepted.take, 'mended');
  await vi.waitFor(async () => expect(await readdir(there)).toContain('photos'));
  // Replaced and removed before anything is made of them.
  await writeFile(join(there, 'photos/red.jpg'), await photo('green'));
  await rm(join(there, 'photos/blue.jpg'));
  await deployment.addWorkers();
  await vi.waitFor(async () => expect((await reportOf(inbox.place, 'accepted', 'mended')).status).toBe('ended'));
  expect(startedFrom(deployment).sort()).toEqual([digestOf(red), digestOf(blue)].sort());

  // With one of two photos changed it is another drop, and a person is asked: half of what is archived would be made anew.
  await inbox.dropFolder('changed', {
    'jobs.json': manifestOf('missing'),
    'photos/red.jpg': await photo('green'),
    'photos/blue.jpg': blue,
  });
  const waiting = await reportOf(inbox.place, 'waiting', 'changed');
  expect(waiting.plan).toMatchObject({ items: 2, toMake: 1 });
  expect(waiting.text).toContain('inputImage');
});

test('a manifest that is dropped without the photos that it names says how they come along', async () => {
  const deployment = await startDeployment();
  const inbox = await openFolderInbox();
  watch(inbox.place, deployment.connections);
  await inbox.drop('alone.json', manifestOf('alone'));
  const { mistakes } = await reportOf(inbox.place, 'rejected', 'alone.json');
  expect(mistakes).toHaveLength(2);
  for (const { hint } of mistakes) expect(hint).toContain('put it into a folder or a zip with them');
});

test('in a bucket photos may come after the manifest that names them', async () => {
  const deployment = await startDeployment();
  const { place, bucket } = openS3Inbox();
  await place.prepare();
  const { endpoint, ...credentials } = inject('s3');
  const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
  onTestFinished(() => client.destroy());
  const put = (key: string, Body: string | Buffer) =>
    client.send(new PutObjectCommand({ Bucket: bucket, Key: `drops/folder/${key}`, Body }));
  // It rests for so long that only `.ready` ends it.
  watch(place, deployment.connections, { restMs: 3_600_000 });
  const photos = { red: await photo('red'), blue: await photo('blue') };
  await put('jobs.json', manifestOf('bucket'));
  await put('photos/red.jpg', photos.red);
  await put('photos/blue.jpg', photos.blue);
  expect(await place.names('rejected')).toEqual([]);
  await put('.ready', '');
  await deployment.addWorkers();
  const report = await vi.waitFor(async () => {
    const found = await reportOf(place, 'accepted', 'folder');
    expect(found.status).toBe('ended');
    return found;
  });
  expect(report.end).toMatchObject({ items: { archived: 2 } });
  expect(startedFrom(deployment).sort()).toEqual(Object.values(photos).map(digestOf).sort());
});
