import { readBatchFile, writeBatchFile } from '../archive/batch-file.ts';
import { hasEnded } from './counts.ts';
import { UsageError } from '../errors.ts';
import type { NewItem } from '../items/item.ts';
import type { Connections } from '../wiring/connections.ts';
import { type Enqueued, enqueueItems, type Manifest } from './enqueue-items.ts';
import { newBatchFile } from './new-batch-file.ts';
import { recountCharges } from './recount-charges.ts';
import type { RestorePorts } from './restore.ts';

/** Takes a manifest into the queues, after making sure that its batch is not on its way to another archive. */
export async function enqueueManifest(
  connections: RestorePorts & Pick<Connections, 'control'>,
  manifest: Omit<Manifest, 'archive'>,
  items: AsyncIterable<NewItem>,
  onProgress?: (enqueued: Enqueued) => void,
): Promise<Enqueued> {
  const { config, clock, archive, records, state, queues, spending, control } = connections;
  const { onUnknown, pollGiveUpMs, storedTtlMs, budgetCredits } = config;
  const { batch, digest } = manifest;
  await refuseOtherArchive(connections, batch);
  const known = await state.counts(batch);
  const file = await readBatchFile(archive, batch);
  const created = file ? Date.parse(file.created) : (known?.createdAt ?? Date.now());
  await writeBatchFile(archive, newBatchFile(batch, { config, digest, createdAt: created }));
  // Before any job: what was spent already counts against what may be spent.
  await recountCharges(connections, batch);
  const waited = (known?.overBudget.items ?? 0) > 0;
  await spending.setBudget(batch, budgetCredits);
  const enqueued = await enqueueItems(
    { ...manifest, archive: archive.url },
    items,
    {
      now: clock.now,
      records,
      intake: state.intake,
      keepCharges: spending.keep,
      queues,
      settings: { onUnknown, pollGiveUpMs, storedTtlMs },
    },
    onProgress,
  );
  if (waited) await control.unpark(batch);
  return enqueued;
}

/** Throws a UsageError (`archive-differs`) while the batch is under way to another archive than ours. */
export async function refuseOtherArchive(
  { state, archive }: Pick<Connections, 'state' | 'archive'>,
  batch: string,
): Promise<void> {
  const known = await state.counts(batch);
  if (!known || known.archive === archive.url || known.archive === '' || hasEnded(known)) return;
  throw new UsageError(
    'archive-differs',
    `The batch ${batch} is on its way to ${known.archive}, not to ${archive.url}`,
    {
      hint: 'Let it end first, or name the same archive, or give the batch another name.',
    },
  );
}
