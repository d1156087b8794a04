import { readBatchFile } from '../archive/batch-file.ts';
import { storedDigest } from './rows-digest.ts';
import { type IndexPorts, writeIndex } from './write-index.ts';

/**
 * A batch may end again while its index is written. The index is then written again, but at most so many times: the
 * batch's end writes one of its own anyway.
 */
const MOST_TRIES = 3;

/**
 * Writes the index again if the stored one was written from other rows than those of `digest`. Returns whether it did.
 * If the batch ended meanwhile, we may have replaced the index of its end by an older one, so it is written once more.
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
