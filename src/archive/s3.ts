import { setTimeout as sleep } from 'node:timers/promises';
import type { Archive, WriteOptions } from './archive.ts';
import { assertKey, assertPrefix, isKey } from './key.ts';
import { prepareBucket } from './s3-bucket.ts';
import type { S3Settings } from './s3-client.ts';
import { getWhole, keysUnder, objectExists } from './s3-get.ts';
import { pendingObject } from './s3-parts.ts';
import { createWhole, honoursIfAbsent, putWhole } from './s3-put.ts';
import { s3Requests } from './s3-requests.ts';
import { parseS3Url } from './url.ts';

/**
 * An archive in a bucket of S3 or of a compatible server. Each object is put whole with a checksum, then compared with what
 * the server stored, so no partial object is ever visible. Opens no connection before the first call.
 */
export function s3Archive(settings: S3Settings): Archive {
  const { bucket, prefix } = parseS3Url(settings.url);
  const { request, close } = s3Requests(settings, bucket);

  const at = (key: string) => {
    assertKey(key);
    return { Bucket: bucket, Key: prefix + key };
  };

  /** Whether the server honours `If-None-Match: *`. Some servers ignore it and overwrite. */
  const conditionalWrites = rememberedAnswer((signal) =>
    request('write to', undefined, signal, (s3, limited) => honoursIfAbsent(s3, bucket, prefix, limited)),
  );

  const put = (key: string, body: Buffer, { contentType, signal }: WriteOptions) =>
    request('write to', key, signal, (s3, limited) => putWhole(s3, at(key), { body, contentType }, limited));

  return {
    url: settings.url,

    prepare: (signal) =>
      prepareBucket({
        bucket,
        probe: async () => {
          conditionalWrites.forget();
          await conditionalWrites.ask(signal);
        },
        request: (doing, run) => request(doing, undefined, signal, run),
        wait: (delayMs) => sleep(delayMs, undefined, { ...(signal && { signal }) }),
      }),

    read: (key, signal) => request('read from', key, signal, (s3, limited) => getWhole(s3, at(key), limited)),

    write: put,

    create: async (key, body, options) => {
      if (await conditionalWrites.ask(options.signal)) {
        const object = { body, contentType: options.contentType };
        return request('write to', key, options.signal, (s3, limited) => createWhole(s3, at(key), object, limited));
      }
      // A server without conditional writes cannot fence: two processes may both find the key absent and both write it. The
      // claim in Redis still fences them. After a flush of Redis, this check is all that is left.
      if (await request('read from', key, options.signal, (s3, limited) => objectExists(s3, at(key), limited)))
        return false;
      await put(key, body, options);
      return true;
    },

    begin: async (key, { contentType, signal }) =>
      pendingObject(at(key), contentType, (run) => request('write to', key, signal, run)),

    async *list(wanted, signal) {
      assertPrefix(wanted);
      const under = { Bucket: bucket, Prefix: prefix + wanted };
      for await (const found of keysUnder(under, (run) => request('list', wanted, signal, run))) {
        const key = found.slice(prefix.length);
        if (isKey(key)) yield key;
      }
    },

    close,
  };
}

/** Asks once and remembers the answer. A failed question is asked again by the next caller. */
function rememberedAnswer(question: (signal: AbortSignal | undefined) => Promise<boolean>) {
  let answer: Promise<boolean> | undefined;
  return {
    ask(signal: AbortSignal | undefined): Promise<boolean> {
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
