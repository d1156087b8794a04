import { readBatchFile } from '../archive/batch-file.ts';
import { UsageError } from '../errors.ts';
import type { BatchCounts } from '../fleet/batch-state.ts';
import type { ItemState } from '../items/item-state.ts';
import type { ItemRecord } from '../items/record.ts';
import { resumedTask } from '../items/transitions.ts';
import { recountCharges } from '../money/budget.ts';
import type { Connections } from '../wiring/connections.ts';
import { readRecords } from './read-records.ts';

const CHUNK = 1_000;

/** Throws a UsageError (`batch-unknown`) that names those that are known. */
export async function knownBatch({ state }: Connections, batch: string): Promise<BatchCounts> {
  const counts = await state.counts(batch);
  if (!counts) throw unknownBatch(batch, await state.batches());
  return counts;
}

/**
 * The same for commands that need only the archive to know it: a batch that Redis has lost is taken in again as its records have
 * it, tasks that run included. Items that have no record, or one of a submit that was not sent, wait for their manifest.
 * Throws also a UsageError `archive-differs`.
 */
export async function restoredBatch(connections: Connections, batch: string): Promise<BatchCounts> {
  const { state, archive } = connections;
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
  for await (const records of readRecords(connections.records, connections.records.list(batch), batch, CHUNK)) {
    await takeIn(records, connections);
  }
  await recountCharges(connections, batch);
  await connections.spending.setBudget(batch, file.settings.budgetCredits);
  await state.intake.seal(batch);
  return knownBatch(connections, batch);
}

async function takeIn(records: readonly ItemRecord[], { state, queues, config, clock }: Connections): Promise<void> {
  const entries = records.flatMap((record) => {
    const to = stateOf(record);
    return to === undefined ? [] : [{ id: record.id, was: undefined, to }];
  });
  const [batch] = records.map((record) => record.batch);
  if (batch === undefined) return;
  await state.intake.admit(batch, entries);
  const giveUpAt = clock.now() + config.pollGiveUpMs;
  await queues.pollAll(
    records.flatMap((record) => (record.state === 'submitted' ? resumedTask(record, giveUpAt) : [])),
  );
}

function stateOf(record: ItemRecord): ItemState | undefined {
  return record.state === 'queued' || record.state === 'claimed' ? undefined : record.state;
}

export function unknownBatch(batch: string, known: readonly string[]): UsageError {
  return new UsageError('batch-unknown', `No batch named ${batch} is known here`, {
    hint: known.length > 0 ? `Known: ${known.join(', ')}` : 'No batch was enqueued on this Redis yet.',
  });
}
