import { createHash } from 'node:crypto';
import pMap from 'p-map';
import { z } from 'zod';
import { DropChanged } from './drops.ts';
import type { S3Address, S3Connection } from './s3-client.ts';
import { isMissing } from './s3-get.ts';
import type { S3Request } from './s3-requests.ts';

const movedFileSchema = z.object({ path: z.string(), version: z.string(), to: z.string() });
/** `drop`: the path that it is moved from. */
const moveSchema = z.object({ drop: z.string(), isFolder: z.boolean(), files: z.array(movedFileSchema) });
export type MovedFile = z.infer<typeof movedFileSchema>;
export type Move = z.infer<typeof moveSchema>;

type Store = {
  read(path: string): Promise<Buffer | undefined>;
  create(path: string, body: Buffer): Promise<boolean>;
  remove(path: string): Promise<void>;
  names(folder: string): Promise<string[]>;
};

const FOLDER = '.flux-batch/moves';
const AT_ONCE = 8;

/**
 * S3 has no rename. A file is copied, the copy is looked at, and then the source is removed, if it is still what was copied: any of
 * these steps can be done again. For several files the move is written down first. When its process dies among the removals, what is
 * left in the inbox is not taken for a smaller drop: the move is gone on with.
 */
export function s3Moves(request: S3Request, at: (path: string) => S3Address, store: Store) {
  const noteOf = (path: string) => `${FOLDER}/${createHash('sha256').update(path).digest('hex').slice(0, 32)}.json`;

  async function versionAt({ sdk, client }: S3Connection, path: string, abortSignal: AbortSignal) {
    try {
      const head = await client.send(new sdk.HeadObjectCommand(at(path)), { abortSignal });
      const { ETag: tag = '', ContentLength: bytes = 0 } = head;
      return { version: versionOf(tag, head.LastModified), tag, bytes };
    } catch (thrown) {
      if (isMissing(thrown)) return undefined;
      throw thrown;
    }
  }

  /** False when the source is gone, or is another by now. */
  function copy({ path, version, to }: MovedFile): Promise<boolean> {
    return request('write to', to, undefined, async (s3, abortSignal) => {
      const source = await versionAt(s3, path, abortSignal);
      const target = await versionAt(s3, to, abortSignal);
      if (source?.version !== version) return false;
      if (target?.bytes === source.bytes && target.tag === source.tag) return true;
      const { Bucket, Key } = at(path);
      const CopySource = `${Bucket}/${Key.split('/').map(encodeURIComponent).join('/')}`;
      await s3.client.send(new s3.sdk.CopyObjectCommand({ ...at(to), ...s3.parametersOf(at(to).Key), CopySource }), {
        abortSignal,
      });
      // What was copied may have been put there after we looked.
      const copied = await versionAt(s3, to, abortSignal);
      return copied?.bytes === source.bytes && (await versionAt(s3, path, abortSignal))?.version === version;
    });
  }

  function removeSource({ path, version }: MovedFile): Promise<void> {
    return request('write to', path, undefined, async (s3, abortSignal) => {
      if ((await versionAt(s3, path, abortSignal))?.version !== version) return;
      await s3.client.send(new s3.sdk.DeleteObjectCommand(at(path)), { abortSignal });
    });
  }

  const removeAll = (files: readonly MovedFile[]) => pMap(files, removeSource, { concurrency: AT_ONCE });

  async function move(wanted: Move): Promise<void> {
    const isCopied = await pMap(wanted.files, copy, { concurrency: AT_ONCE });
    if (isCopied.includes(false)) throw new DropChanged(wanted.drop);
    if (!wanted.isFolder) return void (await removeAll(wanted.files));
    await store.create(noteOf(wanted.drop), Buffer.from(JSON.stringify(wanted)));
    await removeAll(wanted.files);
    await store.remove(noteOf(wanted.drop));
  }

  return {
    move,
    /** All copies stand when a move is written down: only sources are left to be removed. */
    async resume(path: string): Promise<boolean> {
      const note = await store.read(noteOf(path));
      if (!note) return false;
      const { files } = moveSchema.parse(JSON.parse(note.toString('utf8')));
      await removeAll(files);
      await store.remove(noteOf(path));
      return true;
    },
    async under(): Promise<string[]> {
      const notes = await store.names(FOLDER);
      const read = await pMap(notes, (name) => store.read(`${FOLDER}/${name}`), { concurrency: AT_ONCE });
      return read.flatMap((note) => (note ? [moveSchema.parse(JSON.parse(note.toString('utf8'))).drop] : []));
    },
  };
}

/** Only a listing has the milliseconds. */
export function versionOf(tag: string | undefined, modified: Date | undefined): string {
  return `${tag ?? ''} ${Math.floor((modified?.getTime() ?? 0) / 1_000)}`;
}
