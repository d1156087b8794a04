import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, UsageError } from '../errors.ts';

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder',
  ENOTDIR: 'it is a file, not a folder',
  EACCES: 'this user may not write to it',
  EROFS: 'its disk is mounted read-only',
  ENOSPC: 'no space is left on its disk',
};

/** A path in the folder for temporary files. */
export function temporaryPath(name: string): string {
  return join(tmpdir(), name);
}

/** For what begins a file there: throws a UsageError (`temporary-folder`) that says what is wrong with the folder, and what to do. */
export function refuseTemporary(cause: unknown): never {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  throw new UsageError(
    'temporary-folder',
    `Cannot write to the temporary folder ${tmpdir()}: ${WHY[code] ?? messageOf(cause)}`,
    { hint: 'Make it, or set TMPDIR to a folder that this user may write to.', cause },
  );
}
