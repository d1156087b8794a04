import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCodeOf } from './folder-errors.ts';

/** Creates a folder with its parents, and syncs their names, so that they survive a power failure. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/** For each folder: the sync that waits to start, and the one that is running. */
const [waiting, running] = [new Map<string, Promise<void>>(), new Map<string, Promise<void>>()];

/** Makes the names in a folder durable. Calls that come while a sync is running share the next one (group commit). */
export function syncFolder(folder: string): Promise<void> {
  const shared = waiting.get(folder);
  if (shared) return shared;
  const previous = running.get(folder) ?? Promise.resolve();
  const sync = previous
    .catch(() => {})
    .then(() => {
      waiting.delete(folder);
      running.set(folder, sync);
      return syncNow(folder);
    })
    .finally(() => {
      if (running.get(folder) === sync) running.delete(folder);
    });
  waiting.set(folder, sync);
  return sync;
}

async function syncNow(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch (thrown) {
    // Some mounts cannot sync a folder, and Windows cannot even open one. The file itself is synced everywhere.
    if (!['EINVAL', 'ENOTSUP', 'EPERM', 'EISDIR'].includes(errorCodeOf(thrown) ?? '')) throw thrown;
  }
}
