import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from './folder-files.ts';

const LEFTOVER = /^\.flux-batch-[0-9a-f-]{36}\.tmp$/;
/** Whoever writes a file adds to it far more often. */
const OLD_MS = 3_600_000;

/** Removes temporary files below a folder that nobody has written to for an hour. Returns how many. */
export async function removeLeftovers(folder: string, now = Date.now()): Promise<number> {
  const entries = (await unlessMissing(readdir(folder, { withFileTypes: true }))) ?? [];
  let removed = 0;
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !entry.name.startsWith('.')) removed += await removeLeftovers(path, now);
    if (!entry.isFile() || !LEFTOVER.test(entry.name)) continue;
    // Its writer may be renaming it just now.
    const found = await unlessMissing(stat(path));
    if (!found || now - found.mtimeMs < OLD_MS) continue;
    await rm(path, { force: true });
    removed += 1;
  }
  return removed;
}
