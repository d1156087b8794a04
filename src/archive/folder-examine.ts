import { access, constants, readFile, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { FluxError } from '../errors.ts';
import { nearestThere } from '../files/nearest-folder.ts';
import type { Examination } from './archive.ts';
import { writeTemporary } from './folder-files.ts';

/** Throws the system's errors. */
export async function examineFolder(root: string): Promise<Examination> {
  const there = await nearestThere(root);
  if (there !== resolve(root)) {
    await access(there, constants.W_OK | constants.X_OK);
    return { isThere: false };
  }
  const body = Buffer.from('probe');
  const probe = await writeTemporary(root, body);
  const found = await readFile(probe);
  await rm(probe);
  if (!found.equals(body)) {
    throw new FluxError('archive-corrupt', `The archive folder ${root} does not give back what was written`, {
      hint: 'Check the disk and how it is mounted.',
    });
  }
  return { isThere: true, conditional: true, removes: true };
}
