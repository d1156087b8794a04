import { randomUUID } from 'node:crypto';
import { inject, onTestFinished } from 'vitest';
import type { Archive } from '../../src/archive/archive.ts';
import { s3Archive } from '../../src/archive/s3.ts';
import type { S3Settings } from '../../src/archive/s3-client.ts';

export const newBucket = () => `test-${randomUUID()}`;

/** An archive on the test server, closed when the test ends; in a bucket of its own unless `url` says which. */
export function openS3(changes: Partial<S3Settings> = {}): Archive {
  const { endpoint, ...credentials } = inject('s3');
  const archive = s3Archive({ url: `s3://${newBucket()}`, endpoint, credentials, ...changes });
  onTestFinished(() => archive.close());
  return archive;
}
