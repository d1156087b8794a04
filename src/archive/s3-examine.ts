import { randomUUID } from 'node:crypto';
import { FluxError } from '../errors.ts';
import type { Examination } from './archive.ts';
import { getWhole } from './s3-get.ts';
import { putWhole } from './s3-put.ts';
import type { S3Request } from './s3-requests.ts';

type Steps = {
  bucket: string;
  prefix: string;
  request: S3Request;
  /** Tries conditional writes, and the removal of an object. */
  probe: () => Promise<{ ifAbsent: boolean; ifMatch: unknown; removes: boolean }>;
  signal: AbortSignal | undefined;
};

/**
 * Tries each right that an archive needs. Listing too: without it AWS answers 403 where a key is missing, and every new item asks
 * for a record that is missing.
 */
export async function examineBucket({ bucket, prefix, request, probe, signal }: Steps): Promise<Examination> {
  const at = { Bucket: bucket, Key: `${prefix}.flux-batch-probe-${randomUUID()}` };
  const body = Buffer.from('probe');
  try {
    const { ifAbsent, ifMatch, removes } = await probe();
    await request('list', undefined, signal, ({ sdk, client }, limited) =>
      client.send(new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, MaxKeys: 1 }), {
        abortSignal: limited,
      }),
    );
    await request('read from', undefined, signal, async (s3, limited) => {
      await putWhole(s3, at, { body, contentType: 'text/plain' }, limited);
      try {
        const found = await getWhole(s3, at, limited);
        if (!found?.body.equals(body)) throw notWhatWasWritten(bucket);
      } finally {
        await s3.client.send(new s3.sdk.DeleteObjectCommand(at), { abortSignal: limited }).catch(() => {});
      }
    });
    return { isThere: true, conditional: ifAbsent && ifMatch !== undefined, removes };
  } catch (thrown) {
    if (thrown instanceof FluxError && thrown.facts.s3Code === 'NoSuchBucket') return { isThere: false };
    throw thrown;
  }
}

function notWhatWasWritten(bucket: string): FluxError {
  return new FluxError('archive-corrupt', `The bucket ${bucket} does not give back what was written`, {
    hint: 'Is there a cache or a proxy between here and S3_ENDPOINT?',
  });
}
