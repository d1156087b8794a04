import { randomUUID } from 'node:crypto';
import { GetObjectCommand, ListBucketsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { expect, inject, type TestContext, test } from 'vitest';
import { type ItemRecord, recordSchema } from '../../src/items/record.ts';
import { expectBodyAsRecorded } from './archived.ts';
import { expectOneTaskEach } from './ledger.ts';
import { openPlace, promptsFor } from './place.ts';

const ITEMS = 16;

test('a batch onto S3 creates its bucket, and every object is what its record says', async (context) => {
  const bucket = `acceptance-${randomUUID()}`;
  const place = await openPlace(context, { env: s3Environment(bucket) });
  const s3 = openS3(context);
  const { Buckets = [] } = await s3.send(new ListBucketsCommand());
  expect(Buckets.map(({ Name }) => Name)).not.toContain(bucket);
  const manifest = await place.manifest('stored', promptsFor(ITEMS));
  const { code, stderr } = await place.run(['run', manifest]);

  expect(code, stderr).toBe(0);
  expect(stderr).not.toMatch(/NodeVersion|DeprecationWarning|npm/);
  expectOneTaskEach(place, ITEMS);
  const keys = await keysIn(s3, bucket);
  const records = await Promise.all(
    keys.filter((key) => key.startsWith('some/where/stored/items/')).map((key) => readRecord(s3, bucket, key)),
  );
  expect(records.map(({ state }) => state)).toEqual(Array(ITEMS).fill('archived'));
  const images = records.flatMap((record) => (record.state === 'archived' ? [record] : []));
  for (const record of images) {
    const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: `some/where/${record.image}` }));
    const body = Buffer.from((await object.Body?.transformToByteArray()) ?? []);
    expect([object.ContentLength, object.ContentType]).toEqual([record.bytes, record.contentType]);
    expectBodyAsRecorded(body, record);
  }
  expect(keys.filter((key) => key.includes('/images/'))).toHaveLength(ITEMS);
  expect(keys).toContain('some/where/stored/results.csv');

  const seen = place.simulator.ledger().submits.seen;
  expect((await place.run(['run', manifest])).code).toBe(0);
  expect(place.simulator.ledger().submits.seen).toBe(seen);
});

test('a bucket that the credentials do not open is told before anything is spent', async (context) => {
  const place = await openPlace(context, {
    env: { ...s3Environment(`acceptance-${randomUUID()}`), AWS_SECRET_ACCESS_KEY: 'wrong' },
  });
  const { code, stdout, stderr } = await place.run(['run', await place.manifest('refused', promptsFor(3))]);
  expect(code, stderr).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^error: Cannot write to the bucket acceptance-/);
  expect(stderr).not.toMatch(/^ +at /m);
  expect(stderr).not.toContain('wrong');
  expect(place.simulator.ledger().submits.seen).toBe(0);
});

function s3Environment(bucket: string): Record<string, string> {
  const { endpoint, accessKeyId, secretAccessKey } = inject('s3');
  return {
    ARCHIVE_URL: `s3://${bucket}/some/where`,
    S3_ENDPOINT: endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
}

function openS3({ onTestFinished }: TestContext): S3Client {
  const { endpoint, ...credentials } = inject('s3');
  const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
  onTestFinished(() => client.destroy());
  return client;
}

async function keysIn(s3: S3Client, bucket: string): Promise<string[]> {
  const { Contents = [], IsTruncated } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
  expect(IsTruncated).toBe(false);
  return Contents.map(({ Key }) => Key ?? '');
}

async function readRecord(s3: S3Client, bucket: string, key: string): Promise<ItemRecord> {
  const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  expect(object.ContentType).toBe('application/json');
  return recordSchema.parse(JSON.parse((await object.Body?.transformToString()) ?? ''));
}
