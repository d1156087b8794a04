import type { Versioned } from './archive.ts';
import type { S3Address, S3Connection } from './s3-client.ts';
import { s3Answer } from './s3-errors.ts';
import type { S3Operation } from './s3-requests.ts';

/** Undefined when there is no such object. */
export async function getWhole(
  { sdk, client }: S3Connection,
  at: S3Address,
  signal: AbortSignal,
): Promise<Versioned | undefined> {
  try {
    const answer = await client.send(new sdk.GetObjectCommand(at), { abortSignal: signal });
    const bytes = await answer.Body?.transformToByteArray();
    const body = bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return body && { body, version: answer.ETag ?? '' };
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
}

/** Undefined when there is no such object, or when it ends before `from`. */
export async function getPart(
  { sdk, client }: S3Connection,
  at: S3Address,
  { from, bytes }: { from: number; bytes: number },
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  try {
    const range = `bytes=${from}-${from + bytes - 1}`;
    const answer = await client.send(new sdk.GetObjectCommand({ ...at, Range: range }), { abortSignal: signal });
    const body = await answer.Body?.transformToByteArray();
    // A server that does not know ranges sends all of it.
    const skipped = answer.ContentRange === undefined ? from : 0;
    return body && Buffer.from(body.buffer, body.byteOffset, body.byteLength).subarray(skipped, skipped + bytes);
  } catch (thrown) {
    if (isMissing(thrown) || s3Answer(thrown).status === 416) return undefined;
    throw thrown;
  }
}

export async function headOf(
  { sdk, client }: S3Connection,
  at: S3Address,
  signal: AbortSignal,
): Promise<{ tag: string; metadata: Record<string, string> } | undefined> {
  try {
    const { ETag: tag = '', Metadata: metadata = {} } = await client.send(new sdk.HeadObjectCommand(at), {
      abortSignal: signal,
    });
    return { tag, metadata };
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
}

/** The object is missing, not its bucket. */
export function isMissing(thrown: unknown): boolean {
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
