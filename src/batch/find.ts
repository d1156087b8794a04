import { UsageError } from '../errors.ts';
import type { Connections } from '../wiring/connections.ts';
import type { BatchCounts } from './counts.ts';

/** Throws a UsageError (`batch-unknown`) that names those that are known. */
export async function knownBatch({ state }: Pick<Connections, 'state'>, batch: string): Promise<BatchCounts> {
  const counts = await state.counts(batch);
  if (!counts) throw unknownBatch(batch, await state.batches());
  return counts;
}

export function unknownBatch(batch: string, known: readonly string[]): UsageError {
  return new UsageError('batch-unknown', `No batch named ${batch} is known here`, {
    hint: known.length > 0 ? `Known: ${known.join(', ')}` : 'No batch was enqueued on this Redis yet.',
  });
}
