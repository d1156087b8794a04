import { MOST_FILES } from './drops.ts';
import type { S3Request } from './s3-requests.ts';

export type ListedObject = { path: string; bytes: number; modified: Date; tag: string };

/** Lists what lies below a prefix. Paths that no folder could have (`a//b`, `../c`) are left out. */
export function objectsBelow(request: S3Request, { bucket, prefix }: { bucket: string; prefix: string }) {
  async function page(below: string, token: string | undefined, delimiter: string | undefined, signal?: AbortSignal) {
    const answer = await request('list', below, signal, ({ sdk, client }, abortSignal) =>
      client.send(
        new sdk.ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix + below,
          ...(token !== undefined && { ContinuationToken: token }),
          ...(delimiter !== undefined && { Delimiter: delimiter }),
        }),
        { abortSignal },
      ),
    );
    const files = (answer.Contents ?? []).flatMap(({ Key, Size, LastModified, ETag }): ListedObject[] => {
      const path = (Key ?? '').slice(prefix.length);
      if (!isPath(path)) return [];
      return [{ path, bytes: Size ?? 0, modified: LastModified ?? new Date(0), tag: ETag ?? '' }];
    });
    const folders = (answer.CommonPrefixes ?? []).flatMap(({ Prefix }) => {
      const name = (Prefix ?? '').slice(prefix.length + below.length, -1);
      return isPath(name) ? [name] : [];
    });
    return { files, folders, next: answer.IsTruncated ? answer.NextContinuationToken : undefined };
  }

  return {
    /** The objects and the folders right below. */
    async level(below: string, signal?: AbortSignal): Promise<{ files: ListedObject[]; folders: string[] }> {
      const files: ListedObject[] = [];
      const folders: string[] = [];
      let token: string | undefined;
      do {
        const found = await page(below, token, '/', signal);
        files.push(...found.files);
        folders.push(...found.folders);
        token = found.next;
      } while (token !== undefined);
      return { files, folders };
    },
    /** All objects below, so many at most. */
    async all(below: string, signal?: AbortSignal): Promise<{ files: ListedObject[]; isCut: boolean }> {
      const files: ListedObject[] = [];
      let token: string | undefined;
      do {
        const found = await page(below, token, undefined, signal);
        files.push(...found.files);
        token = found.next;
      } while (token !== undefined && files.length <= MOST_FILES);
      return { files: files.slice(0, MOST_FILES), isCut: files.length > MOST_FILES };
    },
  };
}

function isPath(path: string): boolean {
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
