import { withDeadline } from './deadline.ts';
import { connectS3, type S3Connection, type S3Settings } from './s3-client.ts';
import { s3Error } from './s3-errors.ts';
import { regionToldBy } from './s3-region.ts';

/** One operation on an open connection. `signal` aborts it at the caller's wish or at its deadline. */
export type S3Operation<T> = (s3: S3Connection, signal: AbortSignal) => Promise<T>;

/** `doing` and `key` are for the error: "Cannot write to the bucket …". */
export type S3Request = <T>(
  doing: string,
  key: string | undefined,
  signal: AbortSignal | undefined,
  run: S3Operation<T>,
) => Promise<T>;

const DEFAULT_TIMEOUT_MS = 60_000;

/** Runs operations on one bucket, each with its own deadline. Connects at the first. Throws the archive's errors. */
export function s3Requests(settings: S3Settings, bucket: string): { request: S3Request; close(): Promise<void> } {
  const timeoutMs = settings.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  let connecting: Promise<S3Connection> | undefined;

  /** Runs it once more where the bucket is, and there only from then on. */
  async function runThere<T>(connection: S3Connection, run: (there: S3Connection) => Promise<T>): Promise<T> {
    try {
      return await run(connection);
    } catch (thrown) {
      const region = regionToldBy(thrown);
      if (region === undefined || region === connection.region) throw thrown;
      // Another request may have been sent there before this one.
      const latest = await (connecting ?? connection);
      const there = latest.region === region ? latest : connection.inRegion(region);
      connecting = Promise.resolve(there);
      return run(there);
    }
  }

  return {
    async request(doing, key, signal, run) {
      try {
        connecting ??= connectS3(settings);
        const limited = (there: S3Connection) => withDeadline(timeoutMs, signal, (within) => run(there, within));
        return await runThere(await connecting, limited);
      } catch (thrown) {
        signal?.throwIfAborted();
        throw s3Error(thrown, { bucket, endpoint: settings.endpoint, doing, ...(key !== undefined && { key }) });
      }
    },
    async close() {
      const connection = await connecting?.catch(() => undefined);
      connection?.close();
    },
  };
}
