import { setTimeout as sleep } from 'node:timers/promises';
import type { Archive, Versioned, WriteOptions } from './archive.ts';
import { withDeadline } from './deadline.ts';
import { assertKey, assertPrefix, isKey } from './key.ts';
import { prepareBucket } from './s3-bucket.ts';
import { connectS3, type S3Connection, type S3Settings } from './s3-client.ts';
import { s3Error } from './s3-errors.ts';
import { pendingObject } from './s3-parts.ts';
import { type Honours, headOf, honoursOf, isMissing, putIf, putWhole } from './s3-put.ts';
import { parseS3Url } from './url.ts';

/**
 * An archive in a bucket of S3 or a server that speaks it. Objects are put whole with a checksum and compared after,
 * so that nothing partial is ever visible. Opens no connection before the first call.
 */
export function s3Archive(settings: S3Settings): Archive {
  const { bucket, prefix } = parseS3Url(settings.url);
  const timeoutMs = settings.timeoutMs ?? 60_000;
  let connecting: Promise<S3Connection> | undefined;
  let honours: Promise<Honours> | undefined;

  const request = async <T>(
    doing: string,
    key: string | undefined,
    signal: AbortSignal | undefined,
    run: (connection: S3Connection, signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    try {
      connecting ??= connectS3(settings);
      const connection = await connecting;
      return await withDeadline(timeoutMs, signal, (limited) => run(connection, limited));
    } catch (thrown) {
      signal?.throwIfAborted();
      throw s3Error(thrown, { bucket, endpoint: settings.endpoint, doing, ...(key !== undefined && { key }) });
    }
  };

  const at = (key: string) => {
    assertKey(key);
    return { Bucket: bucket, Key: prefix + key };
  };

  /** Which conditions the server honours; asked once, by trying. Some ignore them and overwrite. */
  const honoured = (signal: AbortSignal | undefined) => {
    const asking =
      honours ?? request('write to', undefined, signal, (s3, limited) => honoursOf(s3, bucket, prefix, limited));
    honours = asking;
    asking.catch(() => {
      if (honours === asking) honours = undefined;
    });
    return asking;
  };

  const head = (key: string, signal: AbortSignal | undefined) =>
    request('read from', key, signal, (s3, limited) => headOf(s3, at(key), limited));

  const get = (key: string, signal: AbortSignal | undefined) =>
    request('read from', key, signal, async ({ sdk, client }, limited): Promise<Versioned | undefined> => {
      try {
        const answer = await client.send(new sdk.GetObjectCommand(at(key)), { abortSignal: limited });
        const bytes = await answer.Body?.transformToByteArray();
        const body = bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        return body && { body, version: answer.ETag ?? '' };
      } catch (thrown) {
        if (isMissing(thrown)) return undefined;
        throw thrown;
      }
    });

  const put = (key: string, body: Buffer, { contentType, signal }: WriteOptions) =>
    request('write to', key, signal, (s3, limited) => putWhole(s3, at(key), { body, contentType }, limited));

  return {
    url: settings.url,

    prepare: (signal) =>
      prepareBucket({
        bucket,
        probe: async () => {
          honours = undefined;
          await honoured(signal);
        },
        request: (doing, run) => request(doing, undefined, signal, run),
        wait: (delayMs) => sleep(delayMs, undefined, { ...(signal && { signal }) }),
      }),

    read: async (key, signal) => (await get(key, signal))?.body,

    readVersioned: get,

    write: async (key, body, options) => void (await put(key, body, options)),

    create: async (key, body, options) => {
      const object = { body, contentType: options.contentType };
      if ((await honoured(options.signal)).ifAbsent) {
        return request('write to', key, options.signal, (s3, limited) =>
          putIf(s3, at(key), { IfNoneMatch: '*' }, object, limited),
        );
      }
      // A server without conditional writes cannot fence. Redis does while it lives; this is what is left after.
      if (await head(key, options.signal)) return undefined;
      return (await put(key, body, options)) ?? '';
    },

    replace: async (key, body, { was, ...options }) => {
      const object = { body, contentType: options.contentType };
      const { ifMatch } = await honoured(options.signal);
      if (ifMatch) {
        return request('write to', key, options.signal, (s3, limited) =>
          putIf(s3, at(key), { IfMatch: ifMatch(was) }, object, limited),
        );
      }
      // As in `create`: who comes between this look and the write is overwritten.
      if ((await head(key, options.signal))?.tag !== was) return undefined;
      return (await put(key, body, options)) ?? '';
    },

    begin: async (key, { contentType, signal }) =>
      pendingObject(at(key), contentType, (run) => request('write to', key, signal, run)),

    async *list(wanted, signal) {
      assertPrefix(wanted);
      let token: string | undefined;
      do {
        const page = await request('list', wanted, signal, ({ sdk, client }, limited) =>
          client.send(
            new sdk.ListObjectsV2Command({
              Bucket: bucket,
              Prefix: prefix + wanted,
              ...(token !== undefined && { ContinuationToken: token }),
            }),
            { abortSignal: limited },
          ),
        );
        for (const { Key: found } of page.Contents ?? []) {
          const key = found?.slice(prefix.length);
          if (key !== undefined && isKey(key)) yield key;
        }
        token = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
    },

    close: async () => {
      const connection = await connecting?.catch(() => undefined);
      connection?.close();
    },
  };
}
