import { findBatchFile } from '../archive/batch-file.ts';
import { UsageError } from '../errors.ts';
import type { Connections } from '../wiring/connections.ts';
import { type BatchCounts, isFinished } from './counts.ts';
import { knownBatch } from './find.ts';

type ForgetPorts = Pick<Connections, 'state' | 'archive'>;

/**
 * Removes what Redis has of a batch that has ended; the archive keeps all of it, and enqueueing the manifest again brings it back.
 * Returns how it stood. Throws a UsageError: `batch-unknown`, `batch-live`, or `archive-differs` when the archive does not have it.
 */
export async function forgetBatch(ports: ForgetPorts, batch: string): Promise<BatchCounts> {
  const { state, archive } = ports;
  const counts = await knownBatch(ports, batch);
  if (isFinished(counts) && (await finishedAt(ports, counts)) === undefined) {
    const message = `The archive ${archive.url} does not say that ${batch} has ended, so Redis is all that knows`;
    const hint = counts.archive === archive.url ? 'Run its manifest again.' : `It goes to ${counts.archive}.`;
    throw new UsageError('archive-differs', message, { hint });
  }
  if (!(await state.erase(batch))) {
    const hint = `It ends by itself, or by: flux-batch cancel ${batch}`;
    throw new UsageError('batch-live', `${batch} has not ended, or its index is not written yet`, { hint });
  }
  return counts;
}

/** When a batch ended by what our archive says of it, epoch milliseconds; undefined when it does not say that it has. */
export async function finishedAt(
  { archive }: Pick<Connections, 'archive'>,
  { batch, archive: url }: Pick<BatchCounts, 'batch' | 'archive'>,
): Promise<number | undefined> {
  if (url !== '' && url !== archive.url) return undefined;
  const found = await findBatchFile(archive, batch);
  const finished = found.kind === 'file' ? found.file.finished : undefined;
  return finished === undefined ? undefined : Date.parse(finished);
}
