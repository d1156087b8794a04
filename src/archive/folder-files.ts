import { hash, randomUUID } from 'node:crypto';
import { type FileHandle, link, open, readFile, rename, rm, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { withFileLock } from '../files/file-lock.ts';
import type { PendingFile } from './archive.ts';
import { errorCodeOf } from './folder-errors.ts';
import { makeFolder, syncFolder } from './folder-sync.ts';

export async function overwrite(target: string, body: Buffer): Promise<void> {
  const temporary = await writeTemporary(dirname(target), body);
  try {
    await rename(temporary, target);
  } catch (thrown) {
    await unlink(temporary).catch(() => {});
    throw thrown;
  }
  await syncFolder(dirname(target));
}

/** Undefined when there is no such file, or when it ends before `from`. */
export async function readPart(target: string, from: number, bytes: number): Promise<Buffer | undefined> {
  const file = await unlessMissing(open(target));
  if (!file) return undefined;
  try {
    const part = Buffer.alloc(bytes);
    const { bytesRead } = await file.read(part, 0, bytes, from);
    return bytesRead === 0 ? undefined : part.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The bytes themselves decide, so that a version holds on every disk and after a copy of the folder. */
export function versionOf(body: Buffer): string {
  return hash('sha256', body, 'hex');
}

/** A lock that is held for longer is abandoned: a replacement is one read and one rename. */
const REPLACED_WITHIN_MS = 30_000;

/** A folder has no conditional write. So all processes that replace a file hold a lock beside it from the read to the rename. */
export async function replaceVersion(target: string, body: Buffer, was: string): Promise<string | undefined> {
  const folder = dirname(target);
  // The slow part, the sync to the disk, comes before the lock.
  const temporary = await writeTemporary(folder, body);
  let isLeft = true;
  try {
    const replaced = await withFileLock(
      join(folder, `.flux-batch-${basename(target)}.lock`),
      async () => {
        const found = await unlessMissing(readFile(target));
        if (!found || versionOf(found) !== was) return false;
        await rename(temporary, target);
        isLeft = false;
        return true;
      },
      REPLACED_WITHIN_MS,
    );
    if (!replaced) return undefined;
    await syncFolder(folder);
    return versionOf(body);
  } finally {
    if (isLeft) await unlinkIfThere(temporary);
  }
}

export async function createNew(target: string, body: Buffer): Promise<string | undefined> {
  const temporary = await writeTemporary(dirname(target), body);
  try {
    return (await linkIfAbsent(temporary, target)) ? versionOf(body) : undefined;
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
