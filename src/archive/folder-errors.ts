import { lstat } from 'node:fs/promises';
import { FluxError, messageOf } from '../errors.ts';

/** The system's code of an error (`ENOSPC`), if it has one. */
export function errorCodeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

const FULL = new Map([
  ['ENOSPC', 'no space is left on its disk'],
  ['EDQUOT', 'the disk quota is used up'],
  ['EFBIG', 'the file is larger than the disk allows'],
]);
const DENIED = new Map([
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EROFS', 'the disk is mounted read-only'],
  ['ENOTDIR', 'a part of the path is a file, not a folder'],
  ['EEXIST', 'a part of the path is a file, not a folder'],
  ['EISDIR', 'a folder is in the place of a file'],
  ['ENOTEMPTY', 'a folder is in the place of a file'],
  ['ELOOP', 'its symbolic links go in a circle'],
  ['ENAMETOOLONG', 'the name is too long for the disk'],
]);

/** The folder, or the bucket, is there, but this one file of it cannot be read: the others can. */
export class FileDeniedError extends FluxError {
  override readonly name = 'FileDeniedError';
}

const OF_ONE_FILE = new Map([
  ['EACCES', 'permission denied'],
  ['EISDIR', 'it is a folder'],
  ['ELOOP', 'its symbolic links go in a circle'],
  // Where no file is missing: what leads to it is there.
  ['ENOENT', 'it is a symbolic link to nothing'],
]);

/** What `reading` gives. Throws a `FileDeniedError` when only this file cannot be read; else what `reading` throws. */
export async function orDeniedFile<T>(reading: Promise<T>, path: string): Promise<T> {
  try {
    return await reading;
  } catch (thrown) {
    const systemCode = errorCodeOf(thrown) ?? '';
    const why = OF_ONE_FILE.get(systemCode);
    if (why === undefined || !(await (systemCode === 'ENOENT' ? isLink(path) : isInReach(path)))) throw thrown;
    throw new FileDeniedError('archive-denied', `Cannot read the file ${path}: ${why}`, {
      facts: { file: path, systemCode },
      hint: 'Let this user read the file, or put it back from a backup.',
      cause: thrown,
    });
  }
}

export function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
}

/** Whether the folders on the way to a file let this user through: its own rights do not matter. */
function isInReach(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Maps a system error of an archive folder to the archive's error codes, with a message and a hint for people. */
export function folderError(thrown: unknown, at: { doing: string; root: string; key: string }): FluxError {
  if (thrown instanceof FluxError) return thrown;
  const systemCode = errorCodeOf(thrown) ?? '';
  const facts = { folder: at.root, key: at.key, systemCode };
  const say = (why: string) => `Cannot ${at.doing} the archive folder ${at.root}: ${why}`;

  const full = FULL.get(systemCode);
  if (full !== undefined) {
    const hint = 'Free some space or point ARCHIVE_URL at another disk, then run the same command again to go on.';
    return new FluxError('archive-full', say(full), { facts, hint, cause: thrown });
  }
  const denied = DENIED.get(systemCode);
  if (denied !== undefined) {
    const hint = 'Choose a folder that this user may write to, with ARCHIVE_URL.';
    return new FluxError('archive-denied', say(denied), { facts, hint, cause: thrown });
  }
  return new FluxError('archive-unreachable', say(messageOf(thrown)), { facts, cause: thrown });
}
