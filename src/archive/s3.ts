import { setTimeout as sleep } from 'node:timers/promises';
import type { Archive, WriteOptions } from './archive.ts';
import { withDeadline } from './deadline.ts';
import { assertKey, assertPrefix, isKey } from './key.ts';
import { prepareBucket } from './s3-bucket.ts';
import { connectS3, type S3Connection, type S3Settings } from './s3-client.ts';
import { s3Answer, s3Error } from './s3-errors.ts';
import { pendingObject } from './s3-parts.ts';
import { createWhole, honoursIfAbsent, putWhole } from './s3-put.ts';
import { parseS3Url } from './url.ts';

/**
 * An archive in a bucket of S3 or a server that speaks it. Objects are put whole with a checksum and compared after,
 * so that nothing partial is ever visible. Opens no connection before the first call.
 */
export function s3Archive(settings: S3Settings): Archive {
  const { bucket, prefix } = parseS3Url(settings.url);
  const timeoutMs = settings.timeoutMs ?? 60_000;
  let connecting: Promise<S3Connection> | undefined;
  let ifAbsent: Promise<boolean> | undefined;

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

  /** Whether the server honours `If-None-Match: *`; asked once, by trying. Some ignore it and overwrite. */
  const serverFences = (signal: AbortSignal | undefined) => {
    const asking =
      ifAbsent ?? request('write to', undefined, signal, (s3, limited) => honoursIfAbsent(s3, bucket, prefix, limited));
    ifAbsent = asking;
    asking.catch(() => {
      if (ifAbsent === asking) ifAbsent = undefined;
    });
    return asking;
  };

  const exists = (key: string, signal: AbortSignal | undefined) =>
    request('read from', key, signal, async ({ sdk, client }, limited) => {
      try {
        await client.send(new sdk.HeadObjectCommand(at(key)), { abortSignal: limited });
        return true;
      } catch (thrown) {
        if (isMissing(thrown)) return false;
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
          ifAbsent = undefined;
          await serverFences(signal);
        },
        request: (doing, run) => request(doing, undefined, signal, run),
        wait: (delayMs) => sleep(delayMs, undefined, { ...(signal && { signal }) }),
      }),

    read: (key, signal) =>
      request('read from', key, signal, async ({ sdk, client }, limited) => {
        try {
          const answer = await client.send(new sdk.GetObjectCommand(at(key)), { abortSignal: limited });
          const bytes = await answer.Body?.transformToByteArray();
          return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        } catch (thrown) {
          if (isMissing(thrown)) return undefined;
          throw thrown;
        }
      }),

    write: put,

    create: async (key, body, options) => {
      if (await serverFences(options.signal)) {
        const object = { body, contentType: options.contentType };
        return request('write to', key, options.signal, (s3, limited) => createWhole(s3, at(key), object, limited));
      }
      // A server without conditional writes cannot fence. Redis does while it lives; this is what is left after.
      if (await exists(key, options.signal)) return false;
      await put(key, body, options);
      return true;
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

function isMissing(thrown: unknown): boolean {
  const { name, status } = s3Answer(thrown);
  return status === 404 && name !== 'NoSuchBucket';
}
