import { readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Archive } from './archive.ts';
import { folderError } from './folder-errors.ts';
import {
  beginFile,
  createNew,
  makeFolder,
  putOver,
  replaceVersion,
  unlessMissing,
  versionOf,
  writeTemporary,
} from './folder-files.ts';
import { assertKey, assertPrefix, isKey } from './key.ts';

const PROBE = '.flux-batch-probe';

/**
 * An archive in a folder. Every write goes to a temporary name in the target's own folder, is synced, and then takes
 * its name in one step; what a crash leaves behind starts with a dot and is no key, so that nobody ever lists it.
 */
export function folderArchive(path: string): Archive {
  const root = resolve(path);

  const guarded = async <T>(doing: string, key: string, run: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
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

    read: (key, signal) => guarded('read from', key, () => unlessMissing(readFile(pathOf(key), { signal })), signal),

    readVersioned: (key, signal) =>
      guarded(
        'read from',
        key,
        async () => {
          const body = await unlessMissing(readFile(pathOf(key), { signal }));
          return body && { body, version: versionOf(body) };
        },
        signal,
      ),

    write: (key, body, { signal }) => guarded('write to', key, () => putOver(pathOf(key), body), signal),

    create: (key, body, { signal }) =>
      guarded(
        'write to',
        key,
        async () => ((await createNew(pathOf(key), body)) ? versionOf(body) : undefined),
        signal,
      ),

    replace: (key, body, { was, signal }) =>
      guarded(
        'write to',
        key,
        async () => ((await replaceVersion(pathOf(key), body, was)) ? versionOf(body) : undefined),
        signal,
      ),

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

    close: async () => {},
  };
}

/**
 * The names of one folder are held and sorted at once, which a folder of 100,000 records bears well (about 20 MB). A
 * folder sorts as its name with `/`, so that the order is that of whole keys in bytes, as S3 has it.
 */
async function* walk(prefix: string, namesIn: (prefix: string) => Promise<string[]>): AsyncGenerator<string> {
  const names = await namesIn(prefix);
  names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const name of names) {
    if (name.endsWith('/')) yield* walk(prefix + name, namesIn);
    else yield prefix + name;
  }
}

/** What a folder holds of ours, folders with a `/` behind; nothing when it is not there. */
async function readNames(folder: string): Promise<string[]> {
  const entries = await unlessMissing(readdir(folder, { withFileTypes: true }));
  return (entries ?? [])
    .filter((entry) => isKey(entry.name))
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
}
