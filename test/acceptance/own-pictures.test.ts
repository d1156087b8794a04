import { randomUUID } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { countBy, recordsOf } from './archived.ts';
import { until } from './cli.ts';
import { accepted, expectOneTaskEach } from './ledger.ts';
import { each, photosIn, taken } from './photos.ts';
import { openPlace } from './place.ts';

test('two dozen photos are fetched from a bucket by signed URLs, each with its own bytes, and no signature is kept', async (context) => {
  const { endpoint, accessKeyId, secretAccessKey } = inject('s3');
  const place = await openPlace(context, {
    env: {
      ARCHIVE_URL: `s3://own-pictures-${randomUUID()}/some/where`,
      S3_ENDPOINT: endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      LOG_LEVEL: 'trace',
    },
  });
  const digests = await photosIn(place, 24);
  const { code, stderr } = await place.run(['run', 'edits.yaml', '--yes']);
  expect(code, stderr).toBe(0);
  expectOneTaskEach(place, 24);
  expect(taken(place)).toEqual(each(digests));
  const { inputLog, uploads } = place.simulator.ledger();
  expect(
    inputLog.every(({ signed, from, sha256 }) => signed && from.endsWith(`/some/where/edits/inputs/${sha256}.jpg`)),
  ).toBe(true);
  expect(uploads.seen).toBe(0);
  expect(stderr).not.toMatch(/X-Amz/i);

  const home = join(place.folder, 'home');
  expect((await place.run(['results', 'edits', '--out', home])).code).toBe(0);
  expect((await readdir(join(home, 'inputs'))).sort()).toEqual(digests.map((digest) => `${digest}.jpg`).sort());
  expect(await readFile(join(home, 'index.html'), 'utf8')).toContain(`./inputs/${digests[0]}.jpg`);
  for (const name of await readdir(home, { recursive: true, withFileTypes: true }))
    if (name.isFile()) expect((await readFile(join(name.parentPath, name.name))).includes('X-Amz')).toBe(false);
});

test('two dozen photos in a folder archive are uploaded, each once, and again when an upload has died meanwhile', async (context) => {
  const place = await openPlace(context, {
    // What it says is what counts; that it keeps them longer spares the test a race.
    simulator: { uploadToldTtlMs: 2_000 },
    // Longer than that lies between the two uses of a photo.
    pace: { max: 5, windowMs: 500 },
  });
  const digests = await photosIn(place, 24);
  const text = await readFile(join(place.folder, 'edits.yaml'), 'utf8');
  const job = /\{ id.*\}/.exec(text)?.[0] ?? '';
  await place.write('edits.yaml', text.replace(job, `${job}, ${job.replaceAll('{{ name }}', 'blue {{ name }}')}`));
  const { code, stderr } = await place.run(['run', 'edits.yaml', '--yes']);
  expect(code, stderr).toBe(0);
  expect(accepted(place)).toBe(48);
  expect(taken(place)).toEqual(each(digests, 2));
  const { uploads } = place.simulator.ledger();
  expect(uploads).toMatchObject({ seen: uploads.stored, dead: 0 });
  expect(uploads.stored).toBeGreaterThan(24);
  const records = await recordsOf(place, 'edits');
  expect(countBy(records)).toEqual({ archived: 48 });
  expect(
    records.every(({ request }) => digests.includes(/^inputs\/(.*)\.jpg$/.exec(request.inputImage ?? '')?.[1] ?? '')),
  ).toBe(true);
  expect((await readdir(join(place.folder, 'archive/edits/inputs'))).sort()).toEqual(
    digests.map((one) => `${one}.jpg`).sort(),
  );
});

test('what was enqueued is made by a worker that has no photos', async (context) => {
  const place = await openPlace(context);
  const digests = await photosIn(place, 3);
  await place.run(['enqueue', 'edits.yaml', '--yes']);
  await rm(join(place.folder, 'photos'), { recursive: true });
  const worker = place.start(['worker']);
  await until('all are archived', async () => (countBy(await recordsOf(place, 'edits')).archived ?? 0) === 3, {
    seen: worker.stderr,
  });
  worker.kill('SIGTERM');
  expect((await worker.exit()).code).toBe(0);
  expect(taken(place)).toEqual(each(digests));
});

test('what the provider cannot fetch any more, whatever it said of its life, is uploaded again and paid for once', async (context) => {
  const place = await openPlace(context, {
    simulator: { inputCheck: 'at-submit' },
  });
  await photosIn(place, 3);
  const args = ['edits.yaml', '--yes'];
  // Redis knows of the uploads for as long as it runs.
  const worker = place.start(['worker']);
  await place.run(['enqueue', ...args]);
  const archived = async (count: number) => (countBy(await recordsOf(place, 'edits')).archived ?? 0) === count;
  await until('the first are archived', () => archived(3), { seen: worker.stderr });
  const urls = place.simulator.ledger().inputLog.map(({ from }) => from);
  place.simulator.expireUploads();
  expect(await Promise.all(urls.map(async (url) => (await fetch(url)).status))).toEqual([404, 404, 404]);
  const text = await readFile(join(place.folder, 'edits.yaml'), 'utf8');
  await place.write('edits.yaml', text.replaceAll('{{ name }}', 'again {{ name }}'));
  await place.run(['enqueue', ...args]);
  await until('the others are archived', () => archived(6), { seen: worker.stderr });
  expect(accepted(place)).toBe(6);
  expect(place.simulator.ledger().uploads.stored).toBe(6);
  expect(place.simulator.ledger().inputs.missed).toBe(3);
  worker.kill('SIGTERM');
  await worker.exit();
});

test('Black Forest Labs is given the bytes themselves', async (context) => {
  const place = await openPlace(context, { simulator: { provider: 'bfl' } });
  const env = { BFL_API_URL: place.simulator.url, BFL_API_KEY: place.simulator.apiKey, FLUX_API_KEY: '' };
  const digests = await photosIn(place, 3);
  const text = await readFile(join(place.folder, 'edits.yaml'), 'utf8');
  await place.write('edits.yaml', text.replace('inputs:', 'provider: bfl, model: flux-2-pro, inputs:'));
  const { code, stderr } = await place.run(['run', 'edits.yaml', '--yes'], env);
  expect(code, stderr).toBe(0);
  expect(taken(place)).toEqual(each(digests));
  expect(place.simulator.ledger().inputLog.map(({ from }) => from)).toEqual(['inline', 'inline', 'inline']);
});
