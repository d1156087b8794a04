import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PutObjectCommandOutput } from '@aws-sdk/client-s3';
import { FluxError } from '../errors.ts';
import type { S3Connection } from './s3-client.ts';
import { s3Answer } from './s3-errors.ts';

export type S3Address = { Bucket: string; Key: string };
export type S3Object = { body: Buffer; contentType: string };

type Condition = { IfNoneMatch?: '*'; IfMatch?: string; Metadata?: Record<string, string> };

/** Puts a whole buffer, and proves that the server has it. Resolves with its tag. */
export async function putWhole(
  s3: S3Connection,
  at: S3Address,
  { body, contentType }: S3Object,
  signal: AbortSignal,
  condition: Condition = {},
): Promise<string | undefined> {
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
  if (answer.ChecksumSHA256 !== sha256 && !hasMd5Of(body, answer)) await compareStored(s3, at, body, signal);
  return answer.ETag;
}

const MD5_TAG = /^"?([0-9a-f]{32})"?$/i;

function hasMd5Of(body: Buffer, { ETag }: { ETag?: string | undefined }): boolean {
  return MD5_TAG.exec(ETag ?? '')?.[1]?.toLowerCase() === createHash('md5').update(body).digest('hex');
}

/** Not every server checks or echoes what was sent: then what it says it has is compared. */
async function compareStored(s3: S3Connection, at: S3Address, body: Buffer, signal: AbortSignal): Promise<void> {
  const stored = await s3.client.send(new s3.sdk.HeadObjectCommand(at), { abortSignal: signal });
  // Under KMS or a customer's key the tag has the looks of an MD5 and is none.
  const tagIsMd5 = MD5_TAG.test(stored.ETag ?? '') && !isKeyEncrypted(stored);
  if (stored.ContentLength === body.length && (!tagIsMd5 || hasMd5Of(body, stored))) return;
  throw new FluxError('archive-corrupt', `The bucket ${at.Bucket} stored something other than what was sent`, {
    facts: { bucket: at.Bucket, key: at.Key, sentBytes: body.length, storedBytes: stored.ContentLength },
  });
}

function isKeyEncrypted(answer: Pick<PutObjectCommandOutput, 'ServerSideEncryption' | 'SSECustomerAlgorithm'>) {
  return answer.SSECustomerAlgorithm !== undefined || (answer.ServerSideEncryption ?? 'AES256') !== 'AES256';
}

const MARK = 'flux-batch-write';
const CONFLICT_RETRIES = 5;

/**
 * Puts under a condition: the key is absent, or has this tag. Resolves with the new tag; with undefined when the condition did not
 * hold. For servers that honour it.
 */
export async function putIf(
  s3: S3Connection,
  at: S3Address,
  condition: Pick<Condition, 'IfNoneMatch' | 'IfMatch'>,
  object: S3Object,
  signal: AbortSignal,
): Promise<string | undefined> {
  const mark = randomUUID();
  for (let attempt = 1; ; attempt++) {
    try {
      const tag = await putWhole(s3, at, object, signal, { ...condition, Metadata: { [MARK]: mark } });
      return tag ?? (await headOf(s3, at, signal))?.tag;
    } catch (thrown) {
      const { status, attempts } = s3Answer(thrown);
      if (status === 412 || isMissing(thrown)) {
        // When the SDK tried more than once, what is there may be our own first try, whose answer was lost.
        const head = attempts > 1 || attempt > 1 ? await headOf(s3, at, signal) : undefined;
        return head?.mark === mark ? head.tag : undefined;
      }
      // ConditionalRequestConflict: another write of this key was under way, and AWS asks to try again.
      if (status !== 409 || attempt > CONFLICT_RETRIES) throw thrown;
    }
    await sleep(2 ** attempt * 25 * (0.5 + Math.random()), undefined, { signal });
  }
}

/** The tag of what is there, and the mark that it was written with. */
export async function headOf(
  s3: S3Connection,
  at: S3Address,
  signal: AbortSignal,
): Promise<{ tag: string; mark: string | undefined } | undefined> {
  try {
    const { ETag: tag = '', Metadata } = await s3.client.send(new s3.sdk.HeadObjectCommand(at), {
      abortSignal: signal,
    });
    return { tag, mark: Metadata?.[MARK] };
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
}

/** No such object; a missing bucket is another matter. */
export function isMissing(thrown: unknown): boolean {
  const { name, status } = s3Answer(thrown);
  return status === 404 && name !== 'NoSuchBucket';
}

const PROBE = { body: Buffer.from('probe'), contentType: 'text/plain' };
const NO_TAG = `"${'0'.repeat(32)}"`;

/** How a tag is to be written in `If-Match`: quoted, as HTTP and AWS have it, or bare, as the RGW of Ceph compares it. */
const TAG_FORMS = {
  quoted: (tag: string) => tag,
  bare: (tag: string) => tag.replace(/^"(.*)"$/, '$1'),
};

/**
 * Which conditions a server honours: `If-None-Match: *`, `If-Match: <tag>`. Some ignore one or both, and overwrite; with
 * undefined nothing can be replaced by `If-Match`.
 */
export type Honours = { ifAbsent: boolean; ifMatch: ((tag: string) => string) | undefined };

/** Writes a probe, puts it again under conditions, removes it: proves the rights, and tells which conditions the server honours. */
export async function honoursOf(
  s3: S3Connection,
  bucket: string,
  prefix: string,
  signal: AbortSignal,
): Promise<Honours> {
  const at = { Bucket: bucket, Key: `${prefix}.flux-batch-probe-${randomUUID()}` };
  const puts = (condition: Condition) => isPut(s3, at, condition, signal);
  const tag = await putWhole(s3, at, PROBE, signal);
  try {
    const ifAbsent = !(await puts({ IfNoneMatch: '*' }));
    if (tag === undefined || (await puts({ IfMatch: NO_TAG }))) return { ifAbsent, ifMatch: undefined };
    if (await puts({ IfMatch: TAG_FORMS.quoted(tag) })) return { ifAbsent, ifMatch: TAG_FORMS.quoted };
    return { ifAbsent, ifMatch: (await puts({ IfMatch: TAG_FORMS.bare(tag) })) ? TAG_FORMS.bare : undefined };
  } finally {
    // Who may write but not delete can archive all the same; the probe stays, and listing passes over it.
    await s3.client.send(new s3.sdk.DeleteObjectCommand(at), { abortSignal: signal }).catch(() => {});
  }
}

/** Whether a put under this condition went through. A server that does not know the condition is as one that ignores it. */
async function isPut(s3: S3Connection, at: S3Address, condition: Condition, signal: AbortSignal): Promise<boolean> {
  try {
    await putWhole(s3, at, PROBE, signal, condition);
    return true;
  } catch (thrown) {
    if (s3Answer(thrown).status === 412) return false;
    if (isUnsupported(thrown)) return true;
    throw thrown;
  }
}

const UNSUPPORTED = new Set(['NotImplemented', 'InvalidArgument', 'InvalidRequest', 'UnsupportedOperation']);

function isUnsupported(thrown: unknown): boolean {
  const { name, status } = s3Answer(thrown);
  return status === 501 || (status === 400 && UNSUPPORTED.has(name));
}
