import pMap from 'p-map';
import type { Marked } from './archive.ts';
import type { S3Operation } from './s3-requests.ts';

/** Shares of a listing that are asked for at once. */
const AT_ONCE = 16;

/** An ETag as listings and answers have it: servers differ in its quotes. */
export const markOfTag = (tag: string): string => tag.replace(/^"(.*)"$/, '$1');

/**
 * The objects under a prefix with their ETags. `splits` are keys between which the shares lie; each share is read page by page, so
 * about as many requests are needed as for the whole.
 */
export async function marksUnder(
  at: { Bucket: string; Prefix: string },
  splits: readonly string[],
  onPage: (page: readonly Marked[]) => void,
  request: <T>(run: S3Operation<T>) => Promise<T>,
): Promise<void> {
  const bounds = [...new Set(splits)].sort(inByteOrder);
  const shares = [undefined, ...bounds].map((after, index) => ({ after, upTo: bounds[index] }));
  await pMap(shares, (share) => listShare(at, share, onPage, request), { concurrency: AT_ONCE });
}

async function listShare(
  at: { Bucket: string; Prefix: string },
  { after, upTo }: { after: string | undefined; upTo: string | undefined },
  onPage: (page: readonly Marked[]) => void,
  request: <T>(run: S3Operation<T>) => Promise<T>,
): Promise<void> {
  let from = after;
  for (;;) {
    const start = from === undefined ? {} : { StartAfter: from };
    const answer = await request(({ sdk, client }, signal) =>
      client.send(new sdk.ListObjectsV2Command({ ...at, ...start }), { abortSignal: signal }),
    );
    const page = (answer.Contents ?? []).flatMap(({ Key: key, ETag: tag = '', LastModified: modified }): Marked[] =>
      key === undefined ? [] : [{ key, mark: markOfTag(tag), modifiedAt: modified?.getTime() ?? 0 }],
    );
    from = page.at(-1)?.key;
    const isPast = upTo !== undefined && from !== undefined && inByteOrder(from, upTo) > 0;
    onPage(isPast ? page.filter(({ key }) => inByteOrder(key, upTo) <= 0) : page);
    if (isPast || !answer.IsTruncated || from === undefined) return;
  }
}

/** As S3 orders keys. Ours are ASCII, where it is the order of their code units too. */
function inByteOrder(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
