import { readBatchFile, writeBatchFile } from '../archive/batch-file.ts';
import { UsageError } from '../errors.ts';
import type { NewItem } from '../items/item.ts';
import { formatRate } from '../text/duration.ts';
import type { Connections } from '../wiring/connections.ts';
import { hasEnded } from './counts.ts';
import { type Enqueued, enqueueItems } from './enqueue-items.ts';
import { recountCharges } from './recount-charges.ts';
import type { RestorePorts } from './restore.ts';

/** Takes a manifest into the queues, after making sure that its batch is not on its way to another archive. */
export async function enqueueManifest(
  connections: RestorePorts & Pick<Connections, 'control'>,
  manifest: { batch: string; digest: string },
  items: AsyncIterable<NewItem>,
  onProgress?: (enqueued: Enqueued) => void,
): Promise<Enqueued> {
  const { config, clock, archive, records, state, queues, spending, control } = connections;
  const { onUnknown, pollGiveUpMs, storedTtlMs, budgetCredits } = config;
  await refuseOtherArchive(connections, manifest.batch);
  const file = await readBatchFile(archive, manifest.batch);
  await writeBatchFile(archive, {
    version: 1,
    batch: manifest.batch,
    manifestDigest: manifest.digest,
    created: file?.created ?? new Date().toISOString(),
    settings: {
      apiUrl: config.apiUrl,
      rateLimit: formatRate(config.rateLimit),
      onUnknown,
      ...(budgetCredits === undefined ? {} : { budgetCredits }),
    },
  });
  // Before any job: what was spent already counts against what may be spent.
  await recountCharges(connections, manifest.batch);
  const waited = ((await state.counts(manifest.batch))?.overBudget.items ?? 0) > 0;
  await spending.setBudget(manifest.batch, budgetCredits);
  const enqueued = await enqueueItems(
    { ...manifest, archive: archive.url },
    items,
    { now: clock.now, records, intake: state.intake, queues, settings: { onUnknown, pollGiveUpMs, storedTtlMs } },
    onProgress,
  );
  if (waited) await control.unpark(manifest.batch);
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
