import { readBatchFile } from '../archive/batch-file.ts';
import { recordsOfBatch } from '../archive/read-records.ts';
import { UsageError } from '../errors.ts';
import type { ItemState } from '../items/item-state.ts';
import type { ItemRecord } from '../items/record.ts';
import { resumedTask } from '../items/transitions.ts';
import type { Connections } from '../wiring/connections.ts';
import { chunksOf } from './chunks-of.ts';
import type { BatchCounts } from './counts.ts';
import { knownBatch, unknownBatch } from './find.ts';
import { recountCharges } from './recount-charges.ts';

const CHUNK = 1_000;

export type RestorePorts = Pick<
  Connections,
  'state' | 'archive' | 'records' | 'spending' | 'prices' | 'queues' | 'config' | 'clock'
>;

/**
 * For commands that need only the archive to know a batch. A batch that Redis has lost is taken in again as its records have it,
 * with the tasks that run. Items without a record, and items whose submit was not sent, wait for their manifest.
 * Throws a UsageError: `batch-unknown`, `archive-differs`.
 */
export async function restoredBatch(connections: RestorePorts, batch: string): Promise<BatchCounts> {
  const { state, archive, records, spending } = connections;
  const known = await state.counts(batch);
  if (known && known.archive !== archive.url) {
    throw new UsageError('archive-differs', `The batch ${batch} is in ${known.archive}, not in ${archive.url}`, {
      hint: 'Name the same archive: --archive or ARCHIVE_URL.',
    });
  }
  if (known) return known;
  const file = await readBatchFile(archive, batch);
  if (!file) throw unknownBatch(batch, await state.batches());
  await state.intake.open(batch, { archive: archive.url, digest: file.manifestDigest });
  for await (const some of chunksOf(recordsOfBatch(records, batch), CHUNK)) await takeIn(batch, some, connections);
  await recountCharges(connections, batch);
  await spending.setBudget(batch, file.settings.budgetCredits);
  await state.intake.seal(batch);
  return knownBatch(connections, batch);
}

async function takeIn(
  batch: string,
  records: readonly ItemRecord[],
  { state, queues, config, clock }: RestorePorts,
): Promise<void> {
  const entries = records.flatMap((record) => {
    const to = stateOf(record);
    return to === undefined ? [] : [{ id: record.id, was: undefined, to }];
  });
  await state.intake.admit(batch, entries);
  const giveUpAt = clock.now() + config.pollGiveUpMs;
  await queues.pollAll(
    records.flatMap((record) => (record.state === 'submitted' ? resumedTask(record, giveUpAt) : [])),
  );
}

function stateOf(record: ItemRecord): ItemState | undefined {
  return record.state === 'queued' || record.state === 'claimed' ? undefined : record.state;
}
