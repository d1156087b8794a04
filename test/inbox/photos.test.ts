import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { expect, test, vi } from 'vitest';
import { photo } from '../manifest/photo.ts';
import { startDeployment } from '../server/deployment.ts';
import { openFolderInbox, reportOf, watch } from './stand.ts';

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
