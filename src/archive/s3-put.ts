import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PutObjectCommandOutput } from '@aws-sdk/client-s3';
import { FluxError } from '../errors.ts';
import { sendChecked, sha256Of } from './s3-checksums.ts';
import type { S3Address, S3Connection } from './s3-client.ts';
import { s3Answer } from './s3-errors.ts';
import { getWhole, headOf, isMissing } from './s3-get.ts';

/** `sha256`: of the body, in hex, where it is known. */
export type S3Object = { body: Buffer; contentType: string; sha256?: string | undefined };

export type Condition = { IfNoneMatch?: '*'; IfMatch?: string; Metadata?: Record<string, string> };

/** Puts a whole buffer, and verifies what the server stored. Returns its ETag. Throws `archive-corrupt` when it differs. */
export async function putWhole(
  s3: S3Connection,
  at: S3Address,
  { body, contentType, sha256: known }: S3Object,
  signal: AbortSignal,
  condition: Condition = {},
): Promise<string | undefined> {
  const sha256 = sha256Of(body, known);
  const answer = await sendChecked(s3.learned, { body, sha256 }, (checksum) =>
    s3.client.send(
      new s3.sdk.PutObjectCommand({
        ...at,
        ...s3.parametersOf(at.Key),
        ...condition,
        ...checksum,
        Body: body,
        ContentLength: body.length,
        ContentType: contentType,
      }),
      { abortSignal: signal },
    ),
  );
  if (answer.ChecksumSHA256 !== sha256 && !hasMd5Of(body, answer))
    await compareStored(s3, at, body, condition.Metadata?.[MARK], signal);
  return answer.ETag;
}

const MD5_TAG = /^"?([0-9a-f]{32})"?$/i;

function hasMd5Of(body: Buffer, { ETag }: { ETag?: string | undefined }): boolean {
  return MD5_TAG.exec(ETag ?? '')?.[1]?.toLowerCase() === createHash('md5').update(body).digest('hex');
}

/**
 * Not every server returns a checksum. Then the stored length is compared, and the ETag where it is an MD5. One that only looks
 * like an MD5, as gateways have them, proves nothing: what is stored is read back.
 */
async function compareStored(
  s3: S3Connection,
  at: S3Address,
  body: Buffer,
  mark: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const stored = await s3.client.send(new s3.sdk.HeadObjectCommand(at), { abortSignal: signal });
  if (stored.ContentLength === body.length) {
    // With encryption by KMS or by a customer's key, the ETag looks like an MD5 but is none.
    const tagIsMd5 = MD5_TAG.test(stored.ETag ?? '') && !isKeyEncrypted(stored);
    if (!tagIsMd5 || hasMd5Of(body, stored)) return;
    const found = await getWhole(s3, at, signal);
    if (found?.body.equals(body)) return;
  }
  if (await isOfAnother(s3, at, mark, signal)) return;
  throw new FluxError('archive-corrupt', `The bucket ${at.Bucket} stored something other than what was sent`, {
    facts: { bucket: at.Bucket, key: at.Key, sentBytes: body.length, storedBytes: stored.ContentLength },
  });
}

/** Where a server cannot fence, another writer may have overwritten what was written here a moment ago: that is no damage. */
async function isOfAnother(
  s3: S3Connection,
  at: S3Address,
  mark: string | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  if (mark === undefined) return false;
  const found = (await headOf(s3, at, signal))?.metadata[MARK];
  return found !== undefined && found !== mark;
}

function isKeyEncrypted(answer: Pick<PutObjectCommandOutput, 'ServerSideEncryption' | 'SSECustomerAlgorithm'>) {
  return answer.SSECustomerAlgorithm !== undefined || (answer.ServerSideEncryption ?? 'AES256') !== 'AES256';
}

/** Metadata with a random id, to recognize an object as our own write. */
const MARK = 'flux-batch-write';
export const markOfWrite = () => ({ [MARK]: randomUUID() });
const CONFLICT_RETRIES = 5;

/**
 * Puts the object only if the condition holds: the key is absent, or has this ETag. Returns the new ETag, or undefined if the
 * condition does not hold. Needs a server that honours the condition.
 */
export async function putIf(
  s3: S3Connection,
  at: S3Address,
  condition: Pick<Condition, 'IfNoneMatch' | 'IfMatch'>,
  object: S3Object,
  signal: AbortSignal,
): Promise<string | undefined> {
  const Metadata = markOfWrite();
  const mark = Metadata[MARK];
  for (let attempt = 1; ; attempt++) {
    try {
      const tag = await putWhole(s3, at, object, signal, { ...condition, Metadata });
      return tag ?? (await headOf(s3, at, signal))?.tag;
    } catch (thrown) {
      const { status, attempts } = s3Answer(thrown);
      if (status === 412 || isMissing(thrown)) {
        // After a retry, the existing object may be from our own first attempt, whose answer was lost. The mark tells.
        const head = attempts > 1 || attempt > 1 ? await headOf(s3, at, signal) : undefined;
        return head?.metadata[MARK] === mark ? head.tag : undefined;
      }
      // ConditionalRequestConflict: another write of this key was in progress. AWS asks clients to retry.
      if (status !== 409 || attempt > CONFLICT_RETRIES) throw thrown;
    }
    await sleep(2 ** attempt * 25 * (0.5 + Math.random()), undefined, { signal });
  }
}
