import { randomUUID } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { expect, inject, onTestFinished, test } from 'vitest';
import { openS3 } from '../archive/buckets.ts';

const Body = Buffer.from('a body');
const OTHER_TAG = `"${'0'.repeat(32)}"`;
const WRITERS = 20;
const PART_BYTES = 8 * 1024 * 1024;

async function openBucket() {
  const { endpoint, ...credentials } = inject('s3');
  const s3 = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true, maxAttempts: 3 });
  onTestFinished(() => s3.destroy());
  const Bucket = `facts-${randomUUID()}`;
  await s3.send(new CreateBucketCommand({ Bucket }));
  const put = (Key: string, more: Partial<PutObjectCommandInput> = {}) =>
    s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
  /** Or what the server calls its refusal. */
  const outcomeOf = (Key: string, more: Partial<PutObjectCommandInput>): Promise<string> =>
    put(Key, more).then(
      () => 'written',
      (error: unknown) => (error instanceof Error ? error.name : String(error)),
    );
  return { s3, Bucket, put, outcomeOf };
}

function countsOf(outcomes: readonly string[]): string {
  const kinds = [...new Set(outcomes)].sort();
  return kinds.map((kind) => `${outcomes.filter((one) => one === kind).length} ${kind}`).join(', ');
}

const tell = (fact: string) => process.stdout.write(`s3-server  ${fact}\n`);

test('conditional writes: one of twenty, or the archive knows that there are none', async () => {
  const { put, outcomeOf } = await openBucket();
  const creates = await Promise.all(Array.from({ length: WRITERS }, () => outcomeOf('created', { IfNoneMatch: '*' })));
  tell(`If-None-Match, ${WRITERS} creates at once: ${countsOf(creates)}`);
  const { ETag = '' } = await put('replaced');
  tell(`If-Match, another tag: ${await outcomeOf('replaced', { IfMatch: OTHER_TAG })}`);
  await put('replaced');
  tell(`If-Match, its tag: ${await outcomeOf('replaced', { IfMatch: ETag })}`);
  tell(`If-Match, its tag without quotes: ${await outcomeOf('replaced', { IfMatch: ETag.replaceAll('"', '') })}`);

  const archive = openS3();
  await archive.prepare();
  const options = { contentType: 'text/plain' };
  const first = await archive.create('a/b', Body, options);
  expect(first).toBeDefined();
  expect(await archive.create('a/b', Body, options)).toBeUndefined();
  expect(await archive.replace('a/b', Buffer.from('other'), { ...options, was: OTHER_TAG })).toBeUndefined();
  expect(await archive.read('a/b')).toEqual(Body);
});

test('an upload in parts', async () => {
  const { s3, Bucket } = await openBucket();
  const Key = 'parts';
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const Parts = [];
  for (const PartNumber of [1, 2]) {
    const part = { Bucket, Key, UploadId, PartNumber, Body: Buffer.alloc(PART_BYTES, PartNumber) };
    Parts.push({ PartNumber, ETag: (await s3.send(new UploadPartCommand(part))).ETag });
  }
  await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
  const { ContentLength, ETag, Body: stored } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  const bytes = Buffer.from((await stored?.transformToByteArray()) ?? []);
  tell(`multipart: ${ContentLength} bytes, ETag ${ETag}`);
  expect(bytes.equals(Buffer.concat([1, 2].map((fill) => Buffer.alloc(PART_BYTES, fill))))).toBe(true);
});

test('what was written is listed at once, page by page, in byte order, and what was deleted is not', async () => {
  const { s3, Bucket, put } = await openBucket();
  const keys = ['a/B', 'a/b', 'a/b-1', 'a/b.json', 'a/é', 'a/灯'];
  const sorted = [...keys].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  for (const key of [...keys].reverse()) await put(key);
  const list = async () => {
    const found: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'a/', MaxKeys: 4, ContinuationToken }));
      found.push(...(page.Contents ?? []).map(({ Key }) => Key));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    return found;
  };
  const atOnce = await list();
  tell(`listing at once after the writes: ${atOnce.length} of ${keys.length}, in byte order`);
  expect(atOnce).toEqual(sorted);
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a/b' }));
  const after = await list();
  tell(`listing at once after a delete: ${after.includes('a/b') ? 'still there' : 'gone'}`);
  expect(after).toEqual(sorted.filter((key) => key !== 'a/b'));
});

test('the checksum that is sent comes back', async () => {
  const { put } = await openBucket();
  const { ChecksumSHA256, ETag } = await put('summed', { ChecksumAlgorithm: 'SHA256' });
  tell(`checksum: ${ChecksumSHA256 === undefined ? 'not returned' : 'returned'}, ETag ${ETag}`);
  expect(ETag).toBeDefined();
});
