import type { Worker } from 'bullmq';
import { z } from 'zod';
import { readBatchFile, writeBatchFile } from '../src/archive/batch-file.ts';
import { writeIndex } from '../src/results/write-index.ts';
import type { StageOutcome } from '../src/stages/ports.ts';
import type { Connections } from '../src/wiring/connections.ts';
import { type StageWorkerOptions, stageWorker } from './stage-worker.ts';

const finishSchema = z.object({ batch: z.string() });
type Shared = Pick<StageWorkerOptions<unknown>, 'redis' | 'clock' | 'prefix' | 'signal' | 'onTrouble' | 'count'>;

/** Writes the index of a batch that has ended, then notes the version of the batch that it shows. */
export function finishWorker(
  connections: Pick<Connections, 'log' | 'state' | 'archive' | 'records'>,
  shared: Shared,
): Worker {
  return stageWorker({
    ...shared,
    stage: 'finish',
    schema: finishSchema,
    concurrency: 1,
    run: ({ batch }) => finish(batch, connections),
    giveUp: async ({ batch }, error) => connections.log.error({ batch, error: String(error) }, 'index not written'),
  });
}

async function finish(
  batch: string,
  { state, archive, records }: Pick<Connections, 'state' | 'archive' | 'records'>,
): Promise<StageOutcome> {
  const counts = await state.counts(batch);
  await writeIndex(batch, { archive, records });
  const file = await readBatchFile(archive, batch);
  if (counts && file) {
    await writeBatchFile(archive, { ...file, totals: counts.items, finished: new Date().toISOString() });
    await state.noteFinished(batch, counts.version);
  }
  return { kind: 'done' };
}
