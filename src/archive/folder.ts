import { readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Archive, Marked, Versioned } from './archive.ts';
import { folderError, orDeniedFile } from './folder-errors.ts';
import { examineFolder } from './folder-examine.ts';
import {
  beginFile,
  createNew,
  overwrite,
  replaceVersion,
  unlessMissing,
  versionOf,
  writeTemporary,
} from './folder-files.ts';
import { removeLeftovers } from './folder-leftovers.ts';
import { marksIn, readWithMark } from './folder-marks.ts';
import { makeFolder } from './folder-sync.ts';
import { assertKey, assertPrefix, isKey } from './key.ts';

const PROBE = '.flux-batch-probe';

/**
 * An archive in a folder. Every write goes to a temporary file in the target's folder, is synced, and is then renamed
 * in one step. A temporary file that a crash leaves behind starts with a dot. That is no valid key, so it is never
 * listed.
 */
export function folderArchive(path: string): Archive {
  const root = resolve(path);

  const guarded: Guarded = async (doing, key, run, signal) => {
    signal?.throwIfAborted();
    try {
      return await run();
    } catch (thrown) {
      signal?.throwIfAborted();
      throw folderError(thrown, { doing, root, key });
    }
  };

  const pathOf = (key: string) => {
    assertKey(key);
    return join(root, key);
  };

  return {
    url: root,

    prepare: (signal) =>
      guarded(
        'write to',
        PROBE,
        async () => {
          await makeFolder(root);
          await rm(await writeTemporary(root, Buffer.from('probe')));
        },
        signal,
      ),

    examine: (signal) => guarded('write to', PROBE, () => examineFolder(root), signal),

    read: (key, signal) => guarded('read from', key, () => readBody(pathOf(key), signal), signal),
    readVersioned: (key, signal) => guarded('read from', key, () => readVersion(pathOf(key), signal), signal),

    write: (key, body, { signal }) => guarded('write to', key, () => overwrite(pathOf(key), body), signal),

    create: (key, body, { signal }) => guarded('write to', key, () => createNew(pathOf(key), body), signal),

    replace: (key, body, { was, signal }) =>
      guarded('write to', key, () => replaceVersion(pathOf(key), body, was), signal),

    begin: (key, { signal }) =>
      guarded(
        'write to',
        key,
        async () => {
          const pending = await beginFile(pathOf(key));
          return {
            append: (part) => guarded('write to', key, () => pending.append(part), signal),
            commit: () => guarded('write to', key, () => pending.commit(), signal),
            discard: () => pending.discard(),
          };
        },
        signal,
      ),

    async *list(prefix, signal) {
      assertPrefix(prefix);
      yield* walk(prefix, (folder) => guarded('list', folder, () => readNames(join(root, folder)), signal));
    },

    ...withMarks(root, pathOf, guarded),
    tidy: (prefix) => guarded('tidy', prefix, () => removeLeftovers(join(root, prefix))),
    close: async () => {},
  };
}

type Guarded = <T>(doing: string, key: string, run: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

function withMarks(
  root: string,
  pathOf: (key: string) => string,
  guarded: Guarded,
): Pick<Archive, 'marks' | 'readMarked' | 'markOf' | 'remove'> {
  return {
    marks: (prefix, { onPage, signal }) => {
      assertPrefix(prefix);
      const told = (names: readonly Marked[]) =>
        onPage(names.flatMap((one) => (isKey(one.key) ? [{ ...one, key: prefix + one.key }] : [])));
      return guarded('list', prefix, () => marksIn(join(root, prefix), told, signal), signal);
    },

    readMarked: (key, signal) =>
      guarded('read from', key, () => unlessMissing(orDeniedFile(readWithMark(pathOf(key)), pathOf(key))), signal),

    // The version is the digest of the bytes, and the mark is by the file's time.
    markOf: () => undefined,

    remove: (key, signal) => guarded('remove from', key, () => rm(pathOf(key), { force: true }), signal),
  };
}

function readBody(path: string, signal: AbortSignal | undefined): Promise<Buffer | undefined> {
  return unlessMissing(orDeniedFile(readFile(path, { signal }), path));
}

async function readVersion(path: string, signal: AbortSignal | undefined): Promise<Versioned | undefined> {
  const body = await readBody(path, signal);
  return body && { body, version: versionOf(body) };
}

/**
 * Yields keys in byte order, as S3 does. The names of one folder are sorted in memory, about 20 MB for 100,000 records.
 * A subfolder is sorted as its name with a `/`, so that whole keys are in order.
 */
async function* walk(prefix: string, namesIn: (prefix: string) => Promise<string[]>): AsyncGenerator<string> {
  const names = await namesIn(prefix);
  names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const name of names) {
    if (name.endsWith('/')) yield* walk(prefix + name, namesIn);
    else yield prefix + name;
  }
}

/** The valid keys in a folder. Names of subfolders end in `/`. Empty when the folder does not exist. */
async function readNames(folder: string): Promise<string[]> {
  const entries = await unlessMissing(readdir(folder, { withFileTypes: true }));
  return (entries ?? [])
    .filter((entry) => isKey(entry.name))
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
}
