import { PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { newBucket, openS3 } from './buckets.ts';
import { listed } from './listed.ts';
import { answerError, startProxy } from './s3-proxy.ts';

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
  expect(await archive.create('a/b', BODY, TEXT)).toBe(true);
  expect(await listed(archive, '')).toEqual(['a/b']);
});

test('an endpoint where nobody listens is archive-unreachable', async () => {
  const archive = openS3({ url: 's3://pictures', endpoint: 'http://127.0.0.1:9' });
  await expect(archive.prepare()).rejects.toMatchObject({
    code: 'archive-unreachable',
    message: 'Cannot write to the bucket pictures: nothing listens at its address (http://127.0.0.1:9)',
    hint: expect.stringContaining('S3_ENDPOINT'),
  });
});

test('an endpoint that never answers is archive-unreachable after the time limit', async () => {
  const endpoint = await startProxy(() => new Promise(() => {}));
  const archive = openS3({ url: 's3://pictures', endpoint, timeoutMs: 200 });
  await expect(archive.read('a/b')).rejects.toMatchObject({
    code: 'archive-unreachable',
    message: `Cannot read from the bucket pictures: ${endpoint} gave no answer within 0.2 s`,
  });
});

test('a request that is under way ends when it is called off', async () => {
  const controller = new AbortController();
  const endpoint = await startProxy(() => {
    controller.abort(new Error('stopped'));
    return new Promise(() => {});
  });
  await expect(openS3({ endpoint }).read('a/b', controller.signal)).rejects.toThrow('stopped');
});

test('a page in place of the S3 API is not taken for an archive', async () => {
  const endpoint = await startProxy(async ({ response }) => void response.writeHead(404).end('<html>nothing</html>'));
  await expect(openS3({ endpoint }).prepare()).rejects.toMatchObject({ code: 'archive-denied' });
});

test('a passing 503 is retried unseen', async () => {
  let refusals = 2;
  const endpoint = await startProxy(async ({ response, forward }) => {
    if (refusals-- > 0) answerError(response, 503, 'SlowDown');
    else await forward();
  });
  await openS3({ endpoint }).prepare();
});

test('a lasting 503 is archive-unreachable', async () => {
  const endpoint = await startProxy(async ({ response }) => answerError(response, 503, 'SlowDown'));
  await expect(openS3({ endpoint }).read('a/b')).rejects.toMatchObject({ code: 'archive-unreachable' });
});

test('a used-up quota is archive-full', async () => {
  const endpoint = await startProxy(async ({ response }) => answerError(response, 403, 'QuotaExceeded'));
  await expect(openS3({ endpoint }).write('a/b', BODY, TEXT)).rejects.toMatchObject({ code: 'archive-full' });
});

test('a server that stored other bytes is archive-corrupt', async () => {
  const url = `s3://${newBucket()}`;
  await openS3({ url }).prepare();
  const endpoint = await startProxy(({ forward }) =>
    forward(({ status, headers }) => ({ status, headers: { ...headers, etag: `"${'0'.repeat(32)}"` } })),
  );
  await expect(openS3({ url, endpoint }).write('a/b', BODY, TEXT)).rejects.toMatchObject({ code: 'archive-corrupt' });
});

test('a tag that is no MD5 is no proof of damage', async () => {
  const url = `s3://${newBucket()}`;
  await openS3({ url }).prepare();
  const endpoint = await startProxy(({ forward }) =>
    forward(({ status, headers }) => ({
      status,
      headers: { ...headers, etag: '"5d41402abc4b2a76b9719d911017c592-2"' },
    })),
  );
  await openS3({ url, endpoint }).write('a/b', BODY, TEXT);
});

test('a create whose answer was lost on the way is still known to be ours', async () => {
  const url = `s3://${newBucket()}`;
  await openS3({ url }).prepare();
  let losses = 0;
  const endpoint = await startProxy(async ({ request, response, isConditional, forward }) => {
    if (!isConditional || !request.url?.includes('/a/b') || losses > 0) return forward();
    losses += 1;
    await forward((answer) => {
      response.destroy();
      return answer;
    });
  });
  const archive = openS3({ url, endpoint });
  expect(await archive.create('a/b', BODY, TEXT)).toBe(true);
  expect(losses).toBe(1);
  expect(await archive.create('a/b', BODY, TEXT)).toBe(false);
});

test('a conflict with another write of the key is tried again', async () => {
  const url = `s3://${newBucket()}`;
  await openS3({ url }).prepare();
  let conflicts = 2;
  const endpoint = await startProxy(async ({ request, response, isConditional, forward }) => {
    if (isConditional && request.url?.includes('/a/b') && conflicts-- > 0) {
      request.resume();
      answerError(response, 409, 'ConditionalRequestConflict');
    } else await forward();
  });
  expect(await openS3({ url, endpoint }).create('a/b', BODY, TEXT)).toBe(true);
});

test.each([
  [501, 'NotImplemented'],
  [400, 'InvalidArgument'],
])('a server that answers %i %s to conditional writes is served without them', async (status, code) => {
  const endpoint = await startProxy(async ({ request, response, isConditional, forward }) => {
    if (!isConditional) return forward();
    request.resume();
    answerError(response, status, code);
  });
  const archive = openS3({ endpoint });
  await archive.prepare();
  expect(await archive.create('a/b', BODY, TEXT)).toBe(true);
  expect(await archive.create('a/b', Buffer.from('another'), TEXT)).toBe(false);
  expect(await archive.read('a/b')).toEqual(BODY);
});

test('a server that ignores the condition is found out before it can overwrite', async () => {
  const url = `s3://${newBucket()}`;
  await openS3({ url }).prepare();
  let conditional = 0;
  const endpoint = await startProxy(async ({ isConditional, forward }) => {
    if (isConditional) conditional += 1;
    await forward((answer) => (answer.status === 412 ? { ...answer, status: 200 } : answer));
  });
  const archive = openS3({ url, endpoint });
  expect(await archive.create('a/b', BODY, TEXT)).toBe(true);
  expect(await archive.create('a/b', Buffer.from('another'), TEXT)).toBe(false);
  expect(conditional).toBe(1);
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
