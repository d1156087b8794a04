import { expect, test } from 'vitest';
import type { Archive } from '../../src/archive/archive.ts';
import { newBucket, openS3 } from './buckets.ts';
import { answerError, startProxy } from './s3-proxy.ts';

const TEXT = { contentType: 'text/plain' };
const BODY = Buffer.from('an image');

test('an endpoint where nobody listens is archive-unreachable', async () => {
  const archive = openS3({ url: 's3://pictures', endpoint: 'http://127.0.0.1:9' });
  await expect(archive.prepare()).rejects.toMatchObject({
    code: 'archive-unreachable',
    message: 'Cannot write to the bucket pictures: nothing listens at its address (http://127.0.0.1:9)',
    hint: expect.stringContaining('S3_ENDPOINT'),
  });
});

test('a host that is not known is named with the bucket that stands in it', async () => {
  const endpoint = 'http://s3.invalid';
  const archive = openS3({ url: 's3://pictures', endpoint, forcePathStyle: false });
  await expect(archive.read('a/b')).rejects.toMatchObject({
    code: 'archive-unreachable',
    message: expect.stringContaining('(http://pictures.s3.invalid)'),
    hint: expect.stringContaining('S3_FORCE_PATH_STYLE'),
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
  expect(await archive.create('a/b', BODY, TEXT)).toBeDefined();
  expect(losses).toBe(1);
  expect(await archive.create('a/b', BODY, TEXT)).toBeUndefined();
});

test('a replacement whose answer was lost on the way is still known to be ours', async () => {
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
  await openS3({ url }).write('a/b', BODY, TEXT);
  const archive = openS3({ url, endpoint });
  const was = (await archive.readVersioned('a/b'))?.version ?? '';
  const ours = await archive.replace('a/b', Buffer.from('ours'), { ...TEXT, was });
  expect(losses).toBe(1);
  expect(ours).toBe((await archive.readVersioned('a/b'))?.version);
  expect(await archive.replace('a/b', Buffer.from('another'), { ...TEXT, was })).toBeUndefined();
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
  expect(await openS3({ url, endpoint }).create('a/b', BODY, TEXT)).toBeDefined();
});

/** Without conditions as with them, but for the moment between look and write. */
async function replacesOnce(archive: Archive): Promise<void> {
  const was = (await archive.readVersioned('a/b'))?.version ?? '';
  expect(await archive.replace('a/b', Buffer.from('newer'), { ...TEXT, was })).toBeDefined();
  expect(await archive.replace('a/b', Buffer.from('another'), { ...TEXT, was })).toBeUndefined();
  expect((await archive.read('a/b'))?.toString()).toBe('newer');
}

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
  expect(await archive.create('a/b', BODY, TEXT)).toBeDefined();
  expect(await archive.create('a/b', Buffer.from('another'), TEXT)).toBeUndefined();
  expect(await archive.read('a/b')).toEqual(BODY);
  await replacesOnce(archive);
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
  expect(await archive.create('a/b', BODY, TEXT)).toBeDefined();
  expect(await archive.create('a/b', Buffer.from('another'), TEXT)).toBeUndefined();
  // If-None-Match and a tag that nothing has: the condition that holds need not be tried.
  expect(conditional).toBe(2);
  await replacesOnce(archive);
});
