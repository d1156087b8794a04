import type { S3Connection } from './s3-client.ts';
import { s3Answer } from './s3-errors.ts';
import type { S3Address } from './s3-put.ts';
import type { S3Operation } from './s3-requests.ts';

/** Undefined when there is no such object. */
export async function getWhole(
  { sdk, client }: S3Connection,
  at: S3Address,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  try {
    const answer = await client.send(new sdk.GetObjectCommand(at), { abortSignal: signal });
    const bytes = await answer.Body?.transformToByteArray();
    return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
}

export async function objectExists(
  { sdk, client }: S3Connection,
  at: S3Address,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await client.send(new sdk.HeadObjectCommand(at), { abortSignal: signal });
    return true;
  } catch (thrown) {
    if (isMissing(thrown)) return false;
    throw thrown;
  }
}

function isMissing(thrown: unknown): boolean {
  const { name, status } = s3Answer(thrown);
  return status === 404 && name !== 'NoSuchBucket';
}

/** All keys under a prefix, in byte order. Each page of 1,000 keys is a request of its own. */
export async function* keysUnder(
  at: { Bucket: string; Prefix: string },
  request: <T>(run: S3Operation<T>) => Promise<T>,
): AsyncGenerator<string> {
  let token: string | undefined;
  do {
    const from = token === undefined ? {} : { ContinuationToken: token };
    const page = await request(({ sdk, client }, signal) =>
      client.send(new sdk.ListObjectsV2Command({ ...at, ...from }), { abortSignal: signal }),
    );
    for (const { Key: key } of page.Contents ?? []) if (key !== undefined) yield key;
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}
