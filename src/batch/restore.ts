import { findBatchFile } from '../archive/batch-file.ts';
import { FEWEST_TO_COVER, openBatchRecords } from '../archive/batch-records.ts';
import { messageOf, UsageError } from '../errors.ts';
import type { Connections } from '../wiring/connections.ts';
import { chunksOf } from './chunks-of.ts';
import type { BatchCounts } from './counts.ts';
import { knownBatch, unknownBatch } from './find.ts';
import { budgetIn } from './new-batch-file.ts';
import { countCharges } from './recount-charges.ts';
import { takeIn } from './take-in.ts';

const CHUNK = 1_000;

export type RestorePorts = Pick<
  Connections,
  'state' | 'archive' | 'records' | 'spending' | 'prices' | 'queues' | 'routes' | 'config' | 'clock' | 'log'
>;

/**
 * For commands that need only the archive to know a batch. A batch that Redis has lost is taken in again as its records have it,
 * with the tasks that run. Items without a record, and items whose submit was not sent, wait for their manifest.
 * Throws a UsageError: `batch-unknown`, `archive-differs`.
 */
export async function restoredBatch(connections: RestorePorts, batch: string): Promise<BatchCounts> {
  const { state, archive, records, spending, routes, config, clock, log } = connections;
  const known = await state.counts(batch);
  if (known && known.archive !== archive.url) {
    throw new UsageError('archive-differs', `The batch ${batch} is in ${known.archive}, not in ${archive.url}`, {
      hint: 'Name the same archive: --archive or ARCHIVE_URL.',
    });
  }
  if (known) return known;
  const found = await findBatchFile(archive, batch);
  if (found.kind === 'missing') throw unknownBatch(batch, await state.batches());
  // Without its file it has no budget and no manifest; the next run of one gives it both.
  if (found.kind === 'unreadable') log.error({ batch, reason: found.message }, 'batch restored from its records alone');
  const file = found.kind === 'file' ? found.file : undefined;
  await state.intake.open(batch, {
    archive: archive.url,
    api: file?.settings.apiUrl ?? config.apiUrl,
    digest: file?.manifestDigest ?? '',
  });
  const queues = await routes.of(batch);
  const ports = { now: clock.now, intake: state.intake, queues, settings: config };
  const held = await openBatchRecords({ archive, records }, batch, { fewestToCover: FEWEST_TO_COVER });
  for await (const some of chunksOf(held.all(), CHUNK)) {
    await countCharges(connections, batch, some);
    await takeIn(batch, some, ports);
  }
  await held.cover().catch((error: unknown) => log.debug({ batch, reason: messageOf(error) }, 'segments not written'));
  await spending.noteRecounted(batch);
  await spending.setBudget(batch, budgetIn(file));
  await state.intake.seal(batch);
  return knownBatch(connections, batch);
}

/** The same connections with the queues of a batch: a person may decide on it from where another API is configured. */
export async function onRouteOf<Ports extends Pick<Connections, 'queues' | 'routes'>>(
  connections: Ports,
  batch: string,
): Promise<Ports> {
  return { ...connections, queues: await connections.routes.of(batch) };
}
