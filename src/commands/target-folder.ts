import { resolve } from 'node:path';
import type { Archive } from '../archive/archive.ts';
import { folderArchive } from '../archive/folder.ts';
import { FluxError, UsageError } from '../errors.ts';
import { refuseSamePlace } from '../results/collect.ts';

/** The folder of `--out`, made if it is not there. Throws a UsageError (`out-unwritable`). */
export async function openTarget(out: string, archive: Archive): Promise<Archive> {
  const target = folderArchive(out);
  refuseSamePlace(archive, target);
  try {
    await target.prepare();
  } catch (error) {
    if (!(error instanceof FluxError)) throw error;
    const why = error.message.replace('the archive folder', 'the folder');
    throw new UsageError('out-unwritable', `--out ${out}: ${why}`, { hint: HINT, cause: error });
  }
  return target;
}

const HINT = 'Name a folder that this user may write to, with --out. Nothing is wrong with the archive.';

/** An error of the target is none of the archive, which the same words would be about. */
export function ofTarget(error: unknown, out: string): unknown {
  if (!(error instanceof FluxError) || error.facts?.folder !== resolve(out)) return error;
  const message = error.message.replace('the archive folder', 'the folder of --out,');
  return new FluxError(error.code, message, { facts: error.facts, hint: HINT, cause: error });
}
