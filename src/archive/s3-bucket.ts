import { FluxError } from '../errors.ts';
import type { S3Connection } from './s3-client.ts';
import { s3Answer } from './s3-errors.ts';

type Steps = {
  bucket: string;
  /** Writes and removes an object; throws the archive's errors. */
  probe: () => Promise<void>;
  request: (doing: string, run: (s3: S3Connection, signal: AbortSignal) => Promise<void>) => Promise<void>;
  wait: (delayMs: number) => Promise<void>;
};

const ATTEMPTS = 6;

/**
 * Makes sure that the bucket accepts objects, and creates a missing one. Retries with backoff, about 3 s in all: other
 * processes may create the same bucket at this moment, and a server may not show a new bucket at once.
 */
export async function prepareBucket(steps: Steps): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await steps.probe();
    } catch (thrown) {
      if (attempt === ATTEMPTS || !isMissingBucket(thrown)) throw thrown;
    }
    try {
      await steps.request('make', (s3, signal) => createBucket(s3, steps.bucket, signal));
    } catch (thrown) {
      if (attempt === ATTEMPTS || !isTransient(thrown)) throw thrown;
    }
    if (attempt > 1) await steps.wait(2 ** attempt * 50);
  }
}

const isMissingBucket = (thrown: unknown) => thrown instanceof FluxError && thrown.facts.s3Code === 'NoSuchBucket';
const isTransient = (thrown: unknown) => thrown instanceof FluxError && thrown.code === 'archive-unreachable';

const EXISTS_ALREADY = new Set(['BucketAlreadyOwnedByYou', 'BucketAlreadyExists']);
const UNKNOWN_REGION = new Set(['InvalidLocationConstraint', 'IllegalLocationConstraintException']);

async function createBucket(s3: S3Connection, bucket: string, signal: AbortSignal): Promise<void> {
  const create = new s3.sdk.CreateBucketCommand({ Bucket: bucket });
  try {
    // The SDK adds the LocationConstraint that AWS requires outside us-east-1.
    await s3.client.send(create, { abortSignal: signal });
  } catch (thrown) {
    const { name } = s3Answer(thrown);
    // The bucket exists. The next probe shows whether it is ours or belongs to another account.
    if (EXISTS_ALREADY.has(name)) return;
    if (!UNKNOWN_REGION.has(name)) throw thrown;
    // Self-hosted servers may not know AWS regions. In the default region the SDK sends no LocationConstraint.
    const again = new s3.sdk.CreateBucketCommand({ Bucket: bucket });
    await s3.withoutRegion().send(again, { abortSignal: signal });
  }
}
