import { randomUUID } from 'node:crypto';
import { type FileHandle, link, open, readdir, readFile, rename, rm, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Archive, PendingFile } from './archive.ts';
import { errorCodeOf, folderError } from './folder-errors.ts';
import { makeFolder, syncFolder } from './folder-sync.ts';
import { assertKey, assertPrefix, isKey } from './key.ts';

const PROBE = '.flux-batch-probe';

/**
 * An archive in a folder. Every write goes to a temporary file in the target's folder, is synced, and is then renamed
 * in one step. A temporary file that a crash leaves behind starts with a dot. That is no valid key, so it is never
 * listed.
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

    write: (key, body, { signal }) => guarded('write to', key, () => replace(pathOf(key), body), signal),

    create: (key, body, { signal }) => guarded('write to', key, () => createNew(pathOf(key), body), signal),

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

async function replace(target: string, body: Buffer): Promise<void> {
  const temporary = await writeTemporary(dirname(target), body);
  try {
    await rename(temporary, target);
  } catch (thrown) {
    await unlink(temporary).catch(() => {});
    throw thrown;
  }
  await syncFolder(dirname(target));
}

async function createNew(target: string, body: Buffer): Promise<boolean> {
  const temporary = await writeTemporary(dirname(target), body);
  try {
    return await linkIfAbsent(temporary, target);
  } finally {
    // It is gone already if it was renamed.
    await unlinkIfThere(temporary);
    await syncFolder(dirname(target));
  }
}

/**
 * Creates the target as a hard link. This fails when the name exists, so only one process wins, and the file is
 * complete at once.
 */
async function linkIfAbsent(temporary: string, target: string): Promise<boolean> {
  try {
    await link(temporary, target);
    return true;
  } catch (thrown) {
    if (errorCodeOf(thrown) === 'EEXIST') return false;
    if (!NO_HARD_LINKS.has(errorCodeOf(thrown) ?? '')) throw thrown;
  }
  // FAT and some network mounts have no hard links. There the name is reserved with an empty file, then replaced. A
  // crash between the two leaves the empty file. It reads as a corrupt record and not as a free item, so nothing is
  // submitted twice.
  try {
    await (await open(target, 'wx')).close();
  } catch (thrown) {
    if (errorCodeOf(thrown) === 'EEXIST') return false;
    throw thrown;
  }
  await rename(temporary, target);
  return true;
}

const NO_HARD_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

async function beginFile(target: string): Promise<PendingFile> {
  const folder = dirname(target);
  const { path, file } = await openTemporary(folder);
  const discard = async () => {
    await file.close().catch(() => {});
    await rm(path, { force: true }).catch(() => {});
  };
  return {
    append: async (part) => {
      await file.appendFile(part);
    },
    async commit() {
      await file.sync();
      await file.close();
      await rename(path, target);
      await syncFolder(folder);
    },
    discard,
  };
}

async function openTemporary(folder: string): Promise<{ path: string; file: FileHandle }> {
  const path = join(folder, `.flux-batch-${randomUUID()}.tmp`);
  const file = await open(path, 'wx').catch(async (thrown) => {
    if (errorCodeOf(thrown) !== 'ENOENT') throw thrown;
    await makeFolder(folder);
    return open(path, 'wx');
  });
  return { path, file };
}

async function writeTemporary(folder: string, body: Buffer): Promise<string> {
  const { path, file } = await openTemporary(folder);
  try {
    await file.writeFile(body);
    await file.sync();
  } catch (thrown) {
    await unlink(path).catch(() => {});
    throw thrown;
  } finally {
    await file.close();
  }
  return path;
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (thrown) {
    if (errorCodeOf(thrown) !== 'ENOENT') throw thrown;
  }
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

async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (thrown) {
    if (errorCodeOf(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}
