import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openArchive } from '../../src/archive/open.ts';
import { parseArchiveUrl, parseS3Url } from '../../src/archive/url.ts';

test.each([
  ['./archive', join(process.cwd(), 'archive')],
  ['/var/images', '/var/images'],
  ['file:///var/my%20images', '/var/my images'],
  ['~/images', join(homedir(), 'images')],
])('%s is a folder', async (url, path) => {
  expect((await openArchive({ url })).url).toBe(path);
});

test('s3:// is a bucket', async () => {
  expect(parseArchiveUrl('s3://pictures/spring')).toEqual({ kind: 's3' });
  expect((await openArchive({ url: 's3://pictures/spring' })).url).toBe('s3://pictures/spring');
});

test.each([
  ['s3://pictures', 'pictures', ''],
  ['s3://pictures/', 'pictures', ''],
  ['s3://pictures/spring', 'pictures', 'spring/'],
  ['s3://pictures/spring/catalog/', 'pictures', 'spring/catalog/'],
])('%s has its bucket and prefix', (url, bucket, prefix) => {
  expect(parseS3Url(url)).toEqual({ bucket, prefix });
});

test.each([
  'http://host/bucket',
  'https://bucket.s3.amazonaws.com',
  'gs://bucket',
  's3://',
  's3:///prefix',
  's3:bucket',
  's3://b',
  's3://bucket/../other',
  's3://bucket/a//b',
  's3://key:secret@bucket',
  'file://host/path',
  'file:relative',
  '',
  '  ',
])('%j is archive-url-invalid', async (url) => {
  await expect(openArchive({ url })).rejects.toMatchObject({
    name: 'UsageError',
    code: 'archive-url-invalid',
    hint: expect.stringContaining('s3://bucket/prefix'),
  });
});

test('keys in the URL are not repeated in what is said of it', async () => {
  const opening = openArchive({ url: 's3://AKIA:secret@bucket/prefix' });
  await expect(opening).rejects.toMatchObject({
    message: 'The archive URL "s3://***@bucket/prefix" cannot be used: it has no valid bucket name',
    facts: { url: 's3://***@bucket/prefix' },
  });
});
