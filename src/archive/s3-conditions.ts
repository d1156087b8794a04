import { randomUUID } from 'node:crypto';
import type { WriteOptions } from './archive.ts';
import type { S3Address, S3Connection } from './s3-client.ts';
import { isUnsupported, s3Answer } from './s3-errors.ts';
import { headOf } from './s3-get.ts';
import { type Condition, markOfWrite, putIf, putWhole } from './s3-put.ts';
import type { S3Request } from './s3-requests.ts';

/** How a server wants an ETag in `If-Match`: quoted, as in HTTP and AWS, or bare, as the RGW of Ceph compares it. */
const TAG_FORMS = {
  quoted: (tag: string) => tag,
  bare: (tag: string) => tag.replace(/^"(.*)"$/, '$1'),
};

/**
 * Whether a server honours `If-None-Match: *`, and how `If-Match` is written for it; undefined when it does not honour it. Some
 * servers ignore a condition and overwrite.
 */
type Honours = {
  ifAbsent: boolean;
  ifMatch: ((tag: string) => string) | undefined;
  /** Whether the probe could be removed. Credentials without that right are enough to archive. */
  removes: boolean;
};

/** Writes that happen only if the key is absent, or still has a version. */
export function conditionalWrites(request: S3Request, bucket: string, prefix: string) {
  const honours = rememberedAnswer((signal) =>
    request('write to', undefined, signal, (s3, limited) => honoursOf(s3, bucket, prefix, limited)),
  );
  return {
    /** Throws the archive's errors when nothing can be written. */
    async probe(signal: AbortSignal | undefined): Promise<Honours> {
      honours.forget();
      return honours.ask(signal);
    },
    /** Returns the new version; undefined when the key exists, or with `was`, when it does not have that version any more. */
    async put(
      at: S3Address,
      body: Buffer,
      { contentType, signal, was }: WriteOptions & { was?: string },
    ): Promise<string | undefined> {
      const object = { body, contentType };
      const key = at.Key.slice(prefix.length);
      const condition = conditionOf(await honours.ask(signal), was);
      if (condition)
        return request('write to', key, signal, (s3, limited) => putIf(s3, at, condition, object, limited));
      // A server without conditional writes cannot fence: two processes may both find the key as they want it and both write.
      // The claim in Redis still fences them. After a flush of Redis, this check is all that is left.
      const found = await request('read from', key, signal, (s3, limited) => headOf(s3, at, limited));
      if (found?.tag !== was) return undefined;
      const Metadata = markOfWrite();
      return (
        (await request('write to', key, signal, (s3, limited) => putWhole(s3, at, object, limited, { Metadata }))) ?? ''
      );
    },
  };
}

function conditionOf({ ifAbsent, ifMatch }: Honours, was: string | undefined) {
  if (was === undefined) return ifAbsent ? { IfNoneMatch: '*' as const } : undefined;
  return ifMatch && { IfMatch: ifMatch(was) };
}

/** Asks once and remembers the answer. A failed question is asked again by the next caller. */
function rememberedAnswer<Answer>(question: (signal: AbortSignal | undefined) => Promise<Answer>) {
  let answer: Promise<Answer> | undefined;
  return {
    ask(signal: AbortSignal | undefined): Promise<Answer> {
      const asking = answer ?? question(signal);
      answer = asking;
      asking.catch(() => {
        if (answer === asking) answer = undefined;
      });
      return asking;
    },
    forget(): void {
      answer = undefined;
    },
  };
}

const PROBE = { body: Buffer.from('probe'), contentType: 'text/plain' };
const NO_TAG = `"${'0'.repeat(32)}"`;

/** Writes a probe, puts it again under conditions, and removes it. This checks the rights too. */
async function honoursOf(s3: S3Connection, bucket: string, prefix: string, signal: AbortSignal): Promise<Honours> {
  const at = { Bucket: bucket, Key: `${prefix}.flux-batch-probe-${randomUUID()}` };
  const tag = await putWhole(s3, at, PROBE, signal);
  // A probe that cannot be removed stays, and listing ignores it.
  const remove = () =>
    s3.client.send(new s3.sdk.DeleteObjectCommand(at), { abortSignal: signal }).then(
      () => true,
      () => false,
    );
  try {
    const conditions = await conditionsOf(s3, at, tag, signal);
    return { ...conditions, removes: await remove() };
  } catch (thrown) {
    await remove();
    throw thrown;
  }
}

async function conditionsOf(s3: S3Connection, at: S3Address, tag: string | undefined, signal: AbortSignal) {
  const isPut = async (condition: Condition): Promise<boolean> => {
    try {
      await putWhole(s3, at, PROBE, signal, condition);
      return true;
    } catch (thrown) {
      if (s3Answer(thrown).status === 412) return false;
      // A server that does not know the condition is treated like one that ignores it.
      if (isUnsupported(thrown)) return true;
      throw thrown;
    }
  };
  const ifAbsent = !(await isPut({ IfNoneMatch: '*' }));
  if (tag === undefined || (await isPut({ IfMatch: NO_TAG }))) return { ifAbsent, ifMatch: undefined };
  for (const ifMatch of [TAG_FORMS.quoted, TAG_FORMS.bare]) {
    if (await isPut({ IfMatch: ifMatch(tag) })) return { ifAbsent, ifMatch };
  }
  return { ifAbsent, ifMatch: undefined };
}
