import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PutObjectCommandOutput } from '@aws-sdk/client-s3';
import { FluxError } from '../errors.ts';
import type { S3Connection } from './s3-client.ts';
import { s3Answer } from './s3-errors.ts';

export type S3Address = { Bucket: string; Key: string };
export type S3Object = { body: Buffer; contentType: string };

/** Puts a whole buffer, and verifies what the server stored. Throws `archive-corrupt` when it differs. */
export async function putWhole(
  s3: S3Connection,
  at: S3Address,
  { body, contentType }: S3Object,
  signal: AbortSignal,
  condition: { IfNoneMatch?: '*'; Metadata?: Record<string, string> } = {},
): Promise<void> {
  const sha256 = createHash('sha256').update(body).digest('base64');
  const answer = await s3.client.send(
    new s3.sdk.PutObjectCommand({
      ...at,
      ...condition,
      Body: body,
      ContentLength: body.length,
      ContentType: contentType,
      ChecksumSHA256: sha256,
    }),
    { abortSignal: signal },
  );
  if (answer.ChecksumSHA256 === sha256 || hasMd5Of(body, answer)) return;
  await compareStored(s3, at, body, signal);
}

const MD5_TAG = /^"?([0-9a-f]{32})"?$/i;

function hasMd5Of(body: Buffer, { ETag }: { ETag?: string | undefined }): boolean {
  return MD5_TAG.exec(ETag ?? '')?.[1]?.toLowerCase() === createHash('md5').update(body).digest('hex');
}

/** Not every server returns a checksum. Then the stored length is compared, and the ETag where it is an MD5. */
async function compareStored(s3: S3Connection, at: S3Address, body: Buffer, signal: AbortSignal): Promise<void> {
  const stored = await s3.client.send(new s3.sdk.HeadObjectCommand(at), { abortSignal: signal });
  // With encryption by KMS or by a customer's key, the ETag looks like an MD5 but is none.
  const tagIsMd5 = MD5_TAG.test(stored.ETag ?? '') && !isKeyEncrypted(stored);
  if (stored.ContentLength === body.length && (!tagIsMd5 || hasMd5Of(body, stored))) return;
  throw new FluxError('archive-corrupt', `The bucket ${at.Bucket} stored something other than what was sent`, {
    facts: { bucket: at.Bucket, key: at.Key, sentBytes: body.length, storedBytes: stored.ContentLength },
  });
}

function isKeyEncrypted(answer: Pick<PutObjectCommandOutput, 'ServerSideEncryption' | 'SSECustomerAlgorithm'>) {
  return answer.SSECustomerAlgorithm !== undefined || (answer.ServerSideEncryption ?? 'AES256') !== 'AES256';
}

/** Metadata with a random id, to recognize an object as our own write. */
const MARK = 'flux-batch-write';
const CONFLICT_RETRIES = 5;

/**
 * Puts the object only if the key is absent; returns false if it exists. Needs a server that honours `If-None-Match`.
 */
export async function createWhole(
  s3: S3Connection,
  at: S3Address,
  object: S3Object,
  signal: AbortSignal,
): Promise<boolean> {
  const mark = randomUUID();
  for (let attempt = 1; ; attempt++) {
    try {
      await putWhole(s3, at, object, signal, { IfNoneMatch: '*', Metadata: { [MARK]: mark } });
      return true;
    } catch (thrown) {
      const { status, attempts } = s3Answer(thrown);
      // After a retry, the existing object may be from our own first attempt, whose answer was lost. The mark tells.
      if (status === 412) return (attempts > 1 || attempt > 1) && (await hasMark(s3, at, mark, signal));
      // ConditionalRequestConflict: another write of this key was in progress. AWS asks clients to retry.
      if (status !== 409 || attempt > CONFLICT_RETRIES) throw thrown;
    }
    await sleep(2 ** attempt * 25 * (0.5 + Math.random()), undefined, { signal });
  }
}

async function hasMark(s3: S3Connection, at: S3Address, mark: string, signal: AbortSignal): Promise<boolean> {
  const stored = await s3.client.send(new s3.sdk.HeadObjectCommand(at), { abortSignal: signal });
  return stored.Metadata?.[MARK] === mark;
}

const PROBE = { body: Buffer.from('probe'), contentType: 'text/plain' };

/**
 * Writes a probe, tries to create it again, and removes it. This checks the rights, and returns whether the server
 * honours `If-None-Match: *`.
 */
export async function honoursIfAbsent(
  s3: S3Connection,
  bucket: string,
  prefix: string,
  signal: AbortSignal,
): Promise<boolean> {
  const at = { Bucket: bucket, Key: `${prefix}.flux-batch-probe-${randomUUID()}` };
  await putWhole(s3, at, PROBE, signal);
  try {
    await putWhole(s3, at, PROBE, signal, { IfNoneMatch: '*' });
    return false;
  } catch (thrown) {
    if (s3Answer(thrown).status === 412) return true;
    if (isUnsupported(thrown)) return false;
    throw thrown;
  } finally {
    // Credentials without the right to delete are enough to archive. The probe then stays, and listing ignores it.
    await s3.client.send(new s3.sdk.DeleteObjectCommand(at), { abortSignal: signal }).catch(() => {});
  }
}

const UNSUPPORTED = new Set(['NotImplemented', 'InvalidArgument', 'InvalidRequest', 'UnsupportedOperation']);

function isUnsupported(thrown: unknown): boolean {
  const { name, status } = s3Answer(thrown);
  return status === 501 || (status === 400 && UNSUPPORTED.has(name));
}
