import type { Worker } from 'bullmq';
import { z } from 'zod';
import { type BatchFile, updateBatchFile } from '../src/archive/batch-file.ts';
import { compactSegments } from '../src/archive/compact-segments.ts';
import { FileDeniedError } from '../src/archive/folder-errors.ts';
import { FEWEST_ITEMS } from '../src/archive/segment-writer.ts';
import { type BatchCounts, budgetOf, isOnRoute } from '../src/batch/counts.ts';
import { newBatchFile } from '../src/batch/new-batch-file.ts';
import { messageOf } from '../src/errors.ts';
import { writeIndex } from '../src/results/write-index.ts';
import type { StageOutcome } from '../src/stages/ports.ts';
import type { Connections } from '../src/wiring/connections.ts';
import type { IndexAhead } from './index-ahead.ts';
import { type StageWorkerOptions, stageWorker } from './stage-worker.ts';

const finishSchema = z.object({ batch: z.string() });
type Shared = Pick<
  StageWorkerOptions<unknown>,
  'redis' | 'clock' | 'prefix' | 'suffix' | 'signal' | 'onTrouble' | 'count'
>;

type FinishPorts = Pick<Connections, 'log' | 'config' | 'state' | 'routes' | 'archive' | 'records' | 'prices'> & {
  /** What was done of it while the batch ran; absent: nothing. */
  ahead?: Pick<IndexAhead, 'cells' | 'flush'>;
};

/** Writes the index of a batch that has ended, then notes the version of the batch that it shows. */
export function finishWorker(connections: FinishPorts, shared: Shared): Worker {
  return stageWorker({
    ...shared,
    stage: 'finish',
    schema: finishSchema,
    concurrency: 1,
    run: ({ batch }) => finish(batch, connections),
    onUnforeseen: ({ batch }, error) =>
      connections.log.error({ batch, stage: 'finish', err: error }, 'unforeseen error, to be tried again'),
    giveUp: async ({ batch }, error) => {
      const remedy = `flux-batch results ${batch} writes it`;
      connections.log.error({ batch, stage: 'finish', err: error, remedy }, 'index not written');
    },
  });
}

async function finish(batch: string, connections: FinishPorts): Promise<StageOutcome> {
  const { state, routes, archive, records, prices, log, ahead } = connections;
  const counts = await state.counts(batch);
  if (counts && !isOnRoute(counts, routes.route)) {
    // An index of our archive would be one of nothing.
    await handOver(batch, counts, routes);
    return { kind: 'done' };
  }
  const leftovers = await archive.tidy(`${batch}/`);
  if (leftovers > 0) log.info({ batch, files: leftovers }, 'files that killed processes left are removed');
  const onDamaged = (reason: string) => log.debug({ batch, stage: 'finish', reason }, 'segment not used');
  await ahead?.flush(batch);
  const damage = await writeIndex(batch, {
    ...{ archive, records, prices, onDamaged },
    ...(ahead && { cells: ahead.cells }),
    fewestToCover: FEWEST_ITEMS,
  });
  for (const { id, message } of damage.unreadable)
    log.error({ batch, item: id, reason: message }, 'record cannot be read');
  for (const { id, key } of damage.missing) log.error({ batch, item: id, key }, 'image is not in the archive any more');
  await compactSegments(archive, batch, { now: Date.now(), onDamaged }).catch((error: unknown) =>
    onDamaged(`segments are not put together: ${messageOf(error)}`),
  );
  // A batch that has gone on meanwhile ends again, and then has other totals.
  if (!counts || (await state.counts(batch))?.version !== counts.version) return { kind: 'done' };
  const substitute = await batchFileOf(batch, counts, connections);
  const finished = new Date().toISOString();
  await updateBatchFile(archive, batch, (now) => {
    if (now.kind === 'unreadable') log.error({ batch, reason: now.message }, 'batch file written anew');
    return { ...(now.kind === 'file' ? now.file : substitute), totals: counts.items, finished };
  }).catch((error: unknown) => {
    // The file is for people; `results` names it. All else of the batch is done.
    if (!(error instanceof FileDeniedError)) throw error;
    log.error({ batch, reason: error.message }, 'batch file cannot be written');
  });
  await state.noteFinished(batch, counts.version, damage);
  await state.packed.pack(batch);
  return { kind: 'done' };
}

/** Of a batch that names no API it is not known which queues are its own: the sweep of its workers adds the job again. */
async function handOver(batch: string, { api }: BatchCounts, routes: Connections['routes']): Promise<void> {
  const queues = await routes.of(batch);
  if (api !== '' && queues !== routes.own) await queues.finish(batch);
}

/** From what Redis knows. The settings are this worker's. */
async function batchFileOf(
  batch: string,
  counts: BatchCounts,
  { state, config, prices }: FinishPorts,
): Promise<BatchFile> {
  return newBatchFile(batch, {
    config,
    budget: budgetOf(counts),
    prices,
    digest: await state.manifestDigest(batch),
    createdAt: counts.createdAt,
  });
}
