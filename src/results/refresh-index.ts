import { readBatchFile } from '../archive/batch-file.ts';
import { storedDigest } from './rows-digest.ts';
import { type IndexPorts, writeIndex } from './write-index.ts';

/** As often as the batch ends while its index is written, and no oftener: the end writes its own. */
const MOST_TRIES = 3;

/**
 * Writes the stored index anew when it is not of the rows of this digest. True when it did. When the batch ended meanwhile, its
 * own index may just have been replaced by an older one, so it is written once more.
 */
export async function refreshIndex(batch: string, ports: IndexPorts, digest: string): Promise<boolean> {
  if ((await storedDigest(batch, ports.archive)) === digest) return false;
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const before = await finishedAt(batch, ports);
    await writeIndex(batch, ports);
    if ((await finishedAt(batch, ports)) === before) break;
  }
  return true;
}

async function finishedAt(batch: string, { archive }: IndexPorts): Promise<string | undefined> {
  return (await readBatchFile(archive, batch))?.finished;
}
