import { PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { newBucket, openS3 } from './buckets.ts';
import { listed } from './listed.ts';

const TEXT = { contentType: 'text/plain' };
const BODY = Buffer.from('an image');

test('makes a missing bucket', async () => {
  const archive = openS3();
  await expect(archive.read('a/b')).rejects.toMatchObject({
    code: 'archive-denied',
    message: expect.stringMatching(/^Cannot read from the bucket test-.*: it does not exist$/),
  });
  await archive.prepare();
  await archive.write('a/b', BODY, TEXT);
  expect(await archive.read('a/b')).toEqual(BODY);
});

test('makes a missing bucket once for ten workers that start together', async () => {
  const url = `s3://${newBucket()}`;
  const archives = Array.from({ length: 10 }, () => openS3({ url }));
  await Promise.all(archives.map((archive) => archive.prepare()));
  await Promise.all(archives.map((archive, n) => archive.write(`a/${n}`, BODY, TEXT)));
});

test('makes a missing bucket on a server that does not know the region of the settings', async () => {
  const archive = openS3({ region: 'eu-central-1' });
  await archive.prepare();
  await archive.write('a/b', BODY, TEXT);
});

test('a server refuses what is not what its known SHA-256 says', async () => {
  const archive = openS3();
  await archive.prepare();
  await expect(archive.write('a/b', BODY, { ...TEXT, sha256: '0'.repeat(64) })).rejects.toThrow();
  expect(await archive.read('a/b')).toBeUndefined();
});

test('lets exactly one of 20 workers create a key', async () => {
  const url = `s3://${newBucket()}`;
  const archives = Array.from({ length: 20 }, () => openS3({ url }));
  await archives[0]?.prepare();
  const won = await Promise.all(archives.map((archive) => archive.create('b/items/a.json', BODY, TEXT)));
  expect(won.filter(Boolean)).toHaveLength(1);
});

test('a wrong secret is archive-denied and says which variable to look at', async () => {
  const { accessKeyId } = inject('s3');
  const archive = openS3({ url: 's3://pictures', credentials: { accessKeyId, secretAccessKey: 'wrong' } });
  await expect(archive.prepare()).rejects.toMatchObject({
    code: 'archive-denied',
    message: 'Cannot write to the bucket pictures: the secret key does not fit the access key',
    hint: expect.stringContaining('AWS_SECRET_ACCESS_KEY'),
  });
});

test('an unknown access key is archive-denied', async () => {
  const archive = openS3({ url: 's3://pictures', credentials: { accessKeyId: 'nobody', secretAccessKey: 'x' } });
  await expect(archive.prepare()).rejects.toMatchObject({
    code: 'archive-denied',
    message: 'Cannot write to the bucket pictures: the server does not know this access key',
  });
});

test('no credentials at all is archive-denied and says which variables to set', async () => {
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']) vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent');
  vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent');
  onTestFinished(() => void vi.unstubAllEnvs());
  const archive = openS3({ url: 's3://pictures', credentials: undefined });
  await expect(archive.prepare()).rejects.toMatchObject({
    code: 'archive-denied',
    message: 'Cannot write to the bucket pictures: no credentials were found',
    hint: expect.stringContaining('Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'),
  });
});

test('credentials without the right to write are archive-denied', async () => {
  const bucket = newBucket();
  await openS3({ url: `s3://${bucket}` }).prepare();
  await forbid(bucket, 's3:PutObject');
  await expect(openS3({ url: `s3://${bucket}` }).prepare()).rejects.toMatchObject({
    code: 'archive-denied',
    message: `Cannot write to the bucket ${bucket}: the credentials do not have the right`,
    hint: expect.stringContaining('s3:PutObject'),
  });
});

test('credentials that may not delete can archive all the same', async () => {
  const bucket = newBucket();
  await openS3({ url: `s3://${bucket}` }).prepare();
  await forbid(bucket, 's3:DeleteObject');
  const archive = openS3({ url: `s3://${bucket}` });
  await archive.prepare();
  expect(await archive.create('a/b', BODY, TEXT)).toBeDefined();
  expect(await listed(archive, '')).toEqual(['a/b']);
});

test('nothing of the SDK reaches the screen', async () => {
  const warnings: Error[] = [];
  const hear = (warning: Error) => warnings.push(warning);
  process.on('warning', hear);
  const consoleWarn = vi.spyOn(console, 'warn');
  onTestFinished(() => {
    process.off('warning', hear);
    consoleWarn.mockRestore();
  });
  const archive = openS3({ maxSockets: 1 });
  await archive.prepare();
  await Promise.all(Array.from({ length: 30 }, (_, n) => archive.write(`a/${n}`, BODY, TEXT)));
  expect(warnings).toEqual([]);
  expect(consoleWarn).not.toHaveBeenCalled();
});

async function forbid(bucket: string, action: string): Promise<void> {
  const { endpoint, ...credentials } = inject('s3');
  const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
  const statement = { Effect: 'Deny', Principal: '*', Action: action, Resource: `arn:aws:s3:::${bucket}/*` };
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: policy }));
  client.destroy();
}
