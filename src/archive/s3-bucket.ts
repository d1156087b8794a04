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
 * Leaves with a bucket that takes objects. A missing one is made; a server that is still starting, or a fleet that
 * makes the same bucket at once, is met with a few more tries over about six seconds.
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
      if (attempt === ATTEMPTS || !mayPass(thrown)) throw thrown;
    }
    if (attempt > 1) await steps.wait(2 ** attempt * 50);
  }
}

const isMissingBucket = (thrown: unknown) => thrown instanceof FluxError && thrown.facts.s3Code === 'NoSuchBucket';
const mayPass = (thrown: unknown) => thrown instanceof FluxError && thrown.code === 'archive-unreachable';

const MADE_MEANWHILE = new Set(['BucketAlreadyOwnedByYou', 'BucketAlreadyExists']);
const UNKNOWN_REGION = new Set(['InvalidLocationConstraint', 'IllegalLocationConstraintException']);

async function createBucket(s3: S3Connection, bucket: string, signal: AbortSignal): Promise<void> {
  const create = new s3.sdk.CreateBucketCommand({ Bucket: bucket });
  try {
    // The SDK adds the LocationConstraint that AWS wants outside us-east-1.
    await s3.client.send(create, { abortSignal: signal });
  } catch (thrown) {
    const { name } = s3Answer(thrown);
    // Only the next probe can tell whether it was made by us or is somebody else's.
    if (MADE_MEANWHILE.has(name)) return;
    if (!UNKNOWN_REGION.has(name)) throw thrown;
    // Servers of one's own know no AWS regions: without one they take their only place.
    const again = new s3.sdk.CreateBucketCommand({ Bucket: bucket });
    await s3.withoutRegion().send(again, { abortSignal: signal });
  }
}
