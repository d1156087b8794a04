import { setTimeout as sleep } from 'node:timers/promises';
import type { Archive, Marked, Versioned, WriteOptions } from './archive.ts';
import { assertKey, assertPrefix, isKey } from './key.ts';
import { prepareBucket } from './s3-bucket.ts';
import type { S3Address, S3Settings } from './s3-client.ts';
import { conditionalWrites } from './s3-conditions.ts';
import { orDeniedObject } from './s3-denied.ts';
import { examineBucket } from './s3-examine.ts';
import { getPart, getWhole, keysUnder } from './s3-get.ts';
import { markOfTag, marksUnder } from './s3-marks.ts';
import { pendingObject } from './s3-parts.ts';
import { putWhole } from './s3-put.ts';
import { type S3Request, s3Requests } from './s3-requests.ts';
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

  const conditional = conditionalWrites(request, bucket, prefix);

  const put = (key: string, body: Buffer, { contentType, sha256, signal }: WriteOptions) =>
    request('write to', key, signal, (s3, limited) => putWhole(s3, at(key), { body, contentType, sha256 }, limited));

  const get = reading(request, settings.url, at);

  return {
    url: settings.url,

    prepare: (signal) =>
      prepareBucket({
        bucket,
        probe: async () => {
          await conditional.probe(signal);
        },
        request: (doing, run) => request(doing, undefined, signal, run),
        wait: (delayMs) => sleep(delayMs, undefined, { ...(signal && { signal }) }),
      }),

    examine: (signal) => examineBucket({ bucket, prefix, request, probe: () => conditional.probe(signal), signal }),

    read: async (key, signal) => (await get(key, signal))?.body,

    readVersioned: get,

    readPart: (key, from, bytes) =>
      request('read from', key, undefined, (s3, limited) => getPart(s3, at(key), { from, bytes }, limited)),

    write: async (key, body, options) => void (await put(key, body, options)),

    create: async (key, body, options) => conditional.put(at(key), body, options),

    replace: async (key, body, options) => conditional.put(at(key), body, options),

    begin: async (key, { contentType, signal }) =>
      pendingObject(at(key), contentType, (run) => request('write to', key, signal, run)),

    ...withMarks(request, get, bucket, prefix),

    // An upload that was begun and not completed is seen by nobody; a lifecycle rule of the bucket removes it.
    tidy: async () => 0,

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

type Get = (key: string, signal?: AbortSignal) => Promise<Versioned | undefined>;
/** Beside a key, and never one itself. */
const BESIDE = '.flux-batch-beside';

function reading(request: S3Request, url: string, at: (key: string) => S3Address): Get {
  return (key, signal) => {
    const whole = (address: S3Address) =>
      request('read from', key, signal, (s3, limited) => getWhole(s3, address, limited));
    const address = at(key);
    const beside = { ...address, Key: `${address.Key.slice(0, address.Key.lastIndexOf('/') + 1)}${BESIDE}` };
    return orDeniedObject(
      { key, url },
      () => whole(address),
      () => whole(beside),
    );
  };
}

function withMarks(
  request: S3Request,
  get: Get,
  bucket: string,
  prefix: string,
): Pick<Archive, 'marks' | 'readMarked' | 'markOf' | 'remove'> {
  const at = (key: string) => {
    assertKey(key);
    return { Bucket: bucket, Key: prefix + key };
  };
  return {
    marks: async (wanted, { onPage, splits = [], signal }) => {
      assertPrefix(wanted);
      const under = { Bucket: bucket, Prefix: prefix + wanted };
      const told = (page: readonly Marked[]) =>
        onPage(
          page.flatMap((one) => {
            const key = one.key.slice(prefix.length);
            return isKey(key) && !key.slice(wanted.length).includes('/') ? [{ ...one, key }] : [];
          }),
        );
      const from = splits.map((split) => prefix + split);
      await marksUnder(under, from, told, (run) => request('list', wanted, signal, run));
    },

    readMarked: async (key, signal) => {
      const found = await get(key, signal);
      return found && { ...found, mark: markOfTag(found.version) };
    },

    markOf: markOfTag,

    remove: (key, signal) =>
      request('remove from', key, signal, async ({ sdk, client }, limited) => {
        await client.send(new sdk.DeleteObjectCommand(at(key)), { abortSignal: limited });
      }),
  };
}
