import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { findRecord } from '../../src/archive/read-records.ts';
import { recordsIn } from '../../src/archive/records.ts';
import type { S3Settings } from '../../src/archive/s3-client.ts';
import { archivedRecordOf } from '../results/sample-batch.ts';
import {
  damagesBodies,
  demands,
  denies,
  deniesToRead,
  foreignTags,
  livesIn,
  withoutChecksums,
} from '../services/quirks.ts';
import { type Quirk, startQuirkyS3 } from '../services/quirky-s3.ts';
import { openS3 } from './buckets.ts';

const TEXT = { contentType: 'text/plain' };
const BODY = Buffer.from('an image');

async function openQuirky(quirk: Quirk, settings: Partial<S3Settings> = {}) {
  const { endpoint, credentials, ...server } = await startQuirkyS3(quirk);
  return { ...server, endpoint, archive: openS3({ url: 's3://pictures', endpoint, credentials, ...settings }) };
}

const puts = (seen: readonly { method: string; headers: object }[]) => seen.filter(({ method }) => method === 'PUT');

test.each([
  [400, 'InvalidArgument'],
  [501, 'NotImplemented'],
])(
  'a server that answers %i %s to checksum headers is given Content-MD5, and asked only once',
  async (status, code) => {
    const { archive, seen } = await openQuirky(withoutChecksums(status, code));
    await archive.prepare();
    await archive.write('a/b', BODY, TEXT);
    expect(await archive.create('a/b', BODY, TEXT)).toBeUndefined();
    expect(await archive.read('a/b')).toEqual(BODY);
    expect(puts(seen).filter(({ headers }) => 'x-amz-checksum-sha256' in headers)).toHaveLength(1);
    expect(puts(seen).filter(({ headers }) => !('content-md5' in headers))).toHaveLength(1);
  },
);

test('what is put is signed by the checksum that goes with it, also by one that is known already', async () => {
  const { archive, seen } = await openQuirky({});
  const sha256 = createHash('sha256').update(BODY).digest('hex');
  await archive.write('a/b', BODY, TEXT);
  await archive.write('a/c', BODY, { ...TEXT, sha256 });
  const sums = puts(seen).map(({ headers }) => Object(headers));
  expect(sums.map((headers) => headers['x-amz-content-sha256'])).toEqual([sha256, sha256]);
  const checksum = Buffer.from(sha256, 'hex').toString('base64');
  expect(sums.map((headers) => headers['x-amz-checksum-sha256'])).toEqual([checksum, checksum]);
});

test('a server is given Content-MD5 also where nothing was tried before', async () => {
  const { archive } = await openQuirky(withoutChecksums(400, 'InvalidArgument'));
  await archive.write('a/b', BODY, TEXT);
  expect(await archive.read('a/b')).toEqual(BODY);
});

test('an ETag that looks like an MD5 and is none is no damage: what is stored is read and compared', async () => {
  const { archive } = await openQuirky(foreignTags);
  await archive.prepare();
  await archive.write('a/b', BODY, TEXT);
  expect(await archive.read('a/b')).toEqual(BODY);
});

test('a server that stores something else is archive-corrupt', async () => {
  const { archive } = await openQuirky(damagesBodies);
  await expect(archive.write('a/b', BODY, TEXT)).rejects.toMatchObject({ code: 'archive-corrupt' });
});

test('where a server takes no conditions, another who writes the same key just then is no damage', async () => {
  let others = 0;
  const { archive, objects } = await openQuirky({
    ...foreignTags,
    ignoresConditions: true,
    onStored(path, stored) {
      const found = stored.get(path);
      if (!found || !path.endsWith('a.json')) return;
      others += 1;
      const headers = { ...found.headers, 'x-amz-meta-flux-batch-write': 'of another' };
      stored.set(path, { body: Buffer.from('a longer record'), tag: 'of another', headers });
    },
  });
  const version = await archive.create('spring/items/a.json', BODY, TEXT);
  expect(version).toBeDefined();
  // Who has lost does not take the other's for its own.
  expect(await archive.replace('spring/items/a.json', BODY, { ...TEXT, was: version ?? '' })).toBeUndefined();
  expect(others).toBe(1);
  expect(objects.get('/pictures/spring/items/a.json')?.body.toString()).toBe('a longer record');
});

test('where a server takes no conditions, what it damages is archive-corrupt as ever', async () => {
  const { archive } = await openQuirky({ ...damagesBodies, ignoresConditions: true });
  await expect(archive.create('a/b', BODY, TEXT)).rejects.toMatchObject({ code: 'archive-corrupt' });
});

test('a bucket whose policy demands encryption, an ACL and a storage class is served by settings', async () => {
  const wanted = {
    'x-amz-server-side-encryption': 'aws:kms',
    'x-amz-server-side-encryption-aws-kms-key-id': 'alias/pictures',
    'x-amz-acl': 'bucket-owner-full-control',
    'x-amz-storage-class': 'STANDARD_IA',
  };
  const plain = await openQuirky(demands(wanted));
  await expect(plain.archive.prepare()).rejects.toMatchObject({ code: 'archive-denied' });
  const objects = {
    encryption: 'aws:kms',
    kmsKeyId: 'alias/pictures',
    acl: 'bucket-owner-full-control',
    storageClass: 'STANDARD_IA',
    cacheControl: 'public, max-age=31536000, immutable',
  } as const;
  const { archive, objects: stored } = await openQuirky(demands(wanted), { objects });
  await archive.prepare();
  await archive.create('spring/items/a.json', BODY, TEXT);
  await archive.write('spring/images/a.png', BODY, TEXT);
  await archive.write('spring/thumbs/a.webp', BODY, TEXT);
  const cached = [...stored].filter(([, { headers }]) => headers['cache-control'] === objects.cacheControl);
  expect(cached.map(([key]) => key)).toEqual(['/pictures/spring/images/a.png', '/pictures/spring/thumbs/a.webp']);
});

test('what a server says to a refusal is told in its own words', async () => {
  const { archive } = await openQuirky(denies('Cannot upload files, storage cap exceeded.'));
  await expect(archive.prepare()).rejects.toMatchObject({
    code: 'archive-denied',
    message:
      'Cannot write to the bucket pictures: the credentials do not have the right; the server said: "Cannot upload files, storage cap exceeded."',
  });
});

test.each([
  { status: 301, code: 'PermanentRedirect', headers: { 'x-amz-bucket-region': 'eu-west-3' } },
  { status: 307, code: 'TemporaryRedirect', fields: { Endpoint: 'pictures.s3.eu-west-3.amazonaws.com' } },
  { status: 400, code: 'AuthorizationHeaderMalformed', fields: { Region: 'eu-west-3' } },
])('a bucket in another region is followed there by $status $code, once', async (refusal) => {
  const { archive, seen } = await openQuirky(livesIn('eu-west-3', refusal), { region: 'us-east-1' });
  await archive.prepare();
  expect(await archive.create('a/b', BODY, TEXT)).toBeDefined();
  const elsewhere = seen.filter(({ headers }) => !headers.authorization?.includes('/eu-west-3/'));
  expect(elsewhere).toHaveLength(1);
});

test('a bucket in another region that the server does not tell', async () => {
  const fields = { Endpoint: 'pictures.other.example' };
  const { archive } = await openQuirky(livesIn('none', { status: 301, code: 'PermanentRedirect', fields }));
  await expect(archive.prepare()).rejects.toMatchObject({
    code: 'archive-denied',
    message: expect.stringContaining('pictures.other.example'),
    hint: expect.stringContaining('AWS_REGION='),
  });
});

test('a server that wants the bucket in the host name says which setting that is', async () => {
  const refusal = { status: 403, code: 'SecondLevelDomainForbidden', message: 'Please use virtual hosted style.' };
  const { archive } = await openQuirky({ refuse: () => refusal });
  await expect(archive.prepare()).rejects.toMatchObject({
    code: 'archive-denied',
    hint: expect.stringContaining('S3_FORCE_PATH_STYLE=false'),
  });
});

const recordNamed = (id: string) => ({ ...archivedRecordOf('spring'), id });

test.each([
  [403, 'AccessDenied', 'Access Denied'],
  [403, 'InvalidObjectState', 'The operation is not valid for the storage class of the object'],
  [400, 'KMS.DisabledException', 'The key is disabled'],
])('one record that is denied alone (%i %s) is unreadable, and the others are read', async (status, code, message) => {
  const { archive } = await openQuirky(deniesToRead('/items/a.json', { status, code, message }));
  const records = recordsIn(archive);
  await records.write(recordNamed('a'));
  await records.write(recordNamed('b'));
  const found = await findRecord(records, 'spring', 'a');
  expect(found).toMatchObject({ state: 'unreadable', key: 'spring/items/a.json' });
  expect(found).toMatchObject({ message: expect.stringContaining('spring/items/a.json in s3://pictures') });
  expect(found).toMatchObject({ message: expect.stringContaining(message) });
  expect(await findRecord(records, 'spring', 'b')).toMatchObject({ state: 'archived' });
  await expect(records.readMarked('spring', 'a')).rejects.toMatchObject({ code: 'record-corrupt' });
});

test('records are not unreadable while all of a folder is denied, nor when it is permitted again a moment later', async () => {
  let denied = 3;
  const refusal = { status: 403, code: 'AccessDenied' };
  const { archive } = await openQuirky({
    refuse: ({ method }) => (method === 'GET' && denied-- > 0 ? refusal : undefined),
  });
  const records = recordsIn(archive);
  await records.write(recordNamed('a'));
  await expect(records.read('spring', 'a')).rejects.toMatchObject({ code: 'archive-denied' });
  expect(await records.read('spring', 'a')).toMatchObject({ id: 'a' });
});
