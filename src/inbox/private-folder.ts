import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { refuseTemporary, temporaryPath } from '../files/temporary.ts';

const PREFIX = 'flux-batch-drop-';
/** No drop is read for so long: whoever made an older folder was killed. */
const LEFT_AFTER_MS = 6 * 3_600_000;

/** One that only this user can look into. Whoever makes it removes it. */
export function makePrivateFolder(): Promise<string> {
  return mkdtemp(temporaryPath(PREFIX)).catch(refuseTemporary);
}

export function removePrivateFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** For as long as `use` takes. */
export async function inPrivateFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await makePrivateFolder();
  try {
    return await use(folder);
  } finally {
    await removePrivateFolder(folder);
  }
}

/** What killed processes have left would fill the disk. That of other users, and what goes meanwhile, is let be. */
export async function removeLeftFolders(within = tmpdir()): Promise<void> {
  const names = (await readdir(within).catch(() => [])).filter((name) => name.startsWith(PREFIX));
  for (const name of names) {
    const folder = join(within, name);
    const found = await stat(folder).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > LEFT_AFTER_MS) await removePrivateFolder(folder).catch(() => {});
  }
}
