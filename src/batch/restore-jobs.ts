import pMap from 'p-map';
import { FluxError } from '../errors.ts';
import type { ItemState } from '../items/item-state.ts';
import type { ItemRecord } from '../items/record.ts';
import { itemOfRecord, resumedTask } from '../items/transitions.ts';
import type { Connections } from '../wiring/connections.ts';

/** A live item that nobody will move on: it has no job. */
export type Orphan = { batch: string; id: string; state: ItemState };
export type RestoreJobsPorts = Pick<Connections, 'records' | 'state' | 'queues' | 'config' | 'clock'>;

const READS_AT_ONCE = 16;

/**
 * Gives each of these items what its record says: a job, or the state of its end. Returns those whose record does not say it; only
 * their manifest can make their jobs. Any of it may be repeated, also for an item that has a job again. Throws the archive's errors.
 */
export async function restoreJobs(orphans: readonly Orphan[], ports: RestoreJobsPorts): Promise<Orphan[]> {
  const left = await pMap(orphans, async (orphan) => ((await restore(orphan, ports)) ? [] : [orphan]), {
    concurrency: READS_AT_ONCE,
  });
  return left.flat();
}

async function restore(orphan: Orphan, { records, state, queues, config, clock }: RestoreJobsPorts): Promise<boolean> {
  const record = await readable(orphan, records);
  switch (record?.state) {
    case undefined:
      return false;
    case 'queued':
    case 'claimed': {
      // A worker that died between its record and its state. The submit stage knows what a claim means.
      if (orphan.state !== 'submitting')
        await state.intake.admit(orphan.batch, [{ id: orphan.id, was: orphan.state, to: 'queued' }]);
      await queues.submitAgain([itemOfRecord(record)]);
      return true;
    }
    case 'submitted': {
      await state.move(orphan, 'submitted');
      await queues.pollAgain(resumedTask(record, clock.now() + config.pollGiveUpMs));
      return true;
    }
    case 'archived':
    case 'failed':
    case 'held':
    case 'cancelled':
      await state.intake.admit(orphan.batch, [{ id: orphan.id, was: orphan.state, to: record.state }]);
      return true;
    default:
      return record satisfies never;
  }
}

/** Undefined for none, and for one that nobody can read: it tells as little. */
async function readable({ batch, id }: Orphan, records: RestoreJobsPorts['records']): Promise<ItemRecord | undefined> {
  try {
    return await records.read(batch, id);
  } catch (error) {
    if (error instanceof FluxError && error.code === 'record-corrupt') return undefined;
    throw error;
  }
}
