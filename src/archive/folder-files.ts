import { hash, randomUUID } from 'node:crypto';
import { type FileHandle, link, mkdir, open, readFile, rename, rm, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { withFileLock } from '../files/file-lock.ts';
import type { PendingFile } from './archive.ts';
import { errorCodeOf } from './folder-errors.ts';

export async function putOver(target: string, body: Buffer): Promise<void> {
  const temporary = await writeTemporary(dirname(target), body);
  try {
    await rename(temporary, target);
  } catch (thrown) {
    await unlink(temporary).catch(() => {});
    throw thrown;
  }
  await syncFolder(dirname(target));
}

export const versionOf = (body: Buffer) => hash('sha256', body, 'hex');

/** A replacement is a look and a rename. A lock that is older is of a process that died, perhaps on another machine. */
const REPLACED_WITHIN_MS = 30_000;

/** A folder knows no conditional write. So all who replace a file hold a lock beside it, from their look to their rename. */
export async function replaceVersion(target: string, body: Buffer, was: string): Promise<boolean> {
  const folder = dirname(target);
  // What takes long, the sync to the disk, comes before the lock.
  const temporary = await writeTemporary(folder, body);
  try {
    const replaced = await withFileLock(
      join(folder, `.flux-batch-${basename(target)}.lock`),
      async () => {
        const found = await unlessMissing(readFile(target));
        if (!found || versionOf(found) !== was) return false;
        await rename(temporary, target);
        return true;
      },
      REPLACED_WITHIN_MS,
    );
    if (replaced) await syncFolder(folder);
    return replaced;
  } finally {
    await unlinkIfThere(temporary);
  }
}

export async function createNew(target: string, body: Buffer): Promise<boolean> {
  const temporary = await writeTemporary(dirname(target), body);
  try {
    return await takeName(temporary, target);
  } finally {
    // Gone already where it was renamed.
    await unlinkIfThere(temporary);
    await syncFolder(dirname(target));
  }
}

/** Gives the file a second name, which fails when the name is taken: whole from the first moment, and only one wins. */
async function takeName(temporary: string, target: string): Promise<boolean> {
  try {
    await link(temporary, target);
    return true;
  } catch (thrown) {
    if (errorCodeOf(thrown) === 'EEXIST') return false;
    if (!NO_HARD_LINKS.has(errorCodeOf(thrown) ?? '')) throw thrown;
  }
  // FAT and some network mounts know no hard links: reserve the name, then put the whole file over it. A crash between
  // the two leaves an empty file, which reads as a corrupt record and not as a free item.
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

export async function beginFile(target: string): Promise<PendingFile> {
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

export async function writeTemporary(folder: string, body: Buffer): Promise<string> {
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

/** Makes a folder with its parents, and makes their names survive a power cut. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/** Syncs that have not begun yet, and the one under way, of each folder. */
const [waiting, underWay] = [new Map<string, Promise<void>>(), new Map<string, Promise<void>>()];

/** Makes the names in a folder durable. Whoever comes while a sync is under way shares the next one with all who wait for it. */
function syncFolder(folder: string): Promise<void> {
  const shared = waiting.get(folder);
  if (shared) return shared;
  const former = underWay.get(folder) ?? Promise.resolve();
  const sync = former
    .catch(() => {})
    .then(() => {
      waiting.delete(folder);
      underWay.set(folder, sync);
      return syncNow(folder);
    })
    .finally(() => {
      if (underWay.get(folder) === sync) underWay.delete(folder);
    });
  waiting.set(folder, sync);
  return sync;
}

async function syncNow(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (thrown) {
    // Some mounts cannot sync a folder; the file itself is synced everywhere.
    if (!['EINVAL', 'ENOTSUP', 'EPERM', 'EISDIR'].includes(errorCodeOf(thrown) ?? '')) throw thrown;
  } finally {
    await handle.close();
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (thrown) {
    if (errorCodeOf(thrown) !== 'ENOENT') throw thrown;
  }
}

export async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (thrown) {
    if (errorCodeOf(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}
