import { readRecords } from '../archive/read-records.ts';
import type { Records } from '../archive/records.ts';
import type { Item } from '../items/item.ts';
import type { ItemState } from '../items/item-state.ts';
import type { ItemRecord } from '../items/record.ts';
import { takeOf } from '../items/takes.ts';
import { itemOfRecord } from '../items/transitions.ts';
import { type Found, isReadable } from '../items/unreadable.ts';
import { chunksOf } from './chunks-of.ts';
import { stateOf, type TakeInPorts, takeIn } from './take-in.ts';

type TakeInOthersPorts = Omit<TakeInPorts, 'intake' | 'queues'> & {
  records: Records;
  intake: {
    admit(batch: string, entries: readonly { id: string; was: undefined; to: ItemState }[]): Promise<unknown>;
    noteFormer(batch: string, ids: readonly string[]): Promise<void>;
  };
  queues: TakeInPorts['queues'] & { submitAll(items: readonly Item[]): Promise<void> };
};

const CHUNK = 1_000;

/**
 * A batch that Redis does not know, as after a flush, may have items that are not asked for: those that run are paid for, and on
 * those that failed or are held a person may still have to decide.
 */
export async function takeInOthers(
  { batch, isPart = false }: { batch: string; isPart?: boolean },
  ids: Iterable<string>,
  ports: TakeInOthersPorts,
): Promise<void> {
  for await (const some of chunksOf(readRecords(ports.records, batch, ids), CHUNK)) {
    const kept = some.filter(({ state }) => isPart || (state !== 'archived' && state !== 'cancelled'));
    await takeIn(batch, kept, ports);
    const takes = kept.flatMap((found) => (isWaitingTake(found) ? [itemOfRecord(found)] : []));
    await ports.intake.admit(
      batch,
      takes.map(({ id }) => ({ id, was: undefined, to: 'queued' })),
    );
    await ports.queues.submitAll(takes);
    const taken = kept.filter((found) => stateOf(found) !== undefined || isWaitingTake(found)).map(({ id }) => id);
    if (!isPart) await ports.intake.noteFormer(batch, taken);
  }
}

/** `redo` recorded it, and no manifest has it. */
function isWaitingTake(found: Found): found is Extract<ItemRecord, { state: 'queued' }> {
  return isReadable(found) && found.state === 'queued' && takeOf(found) > 1;
}
