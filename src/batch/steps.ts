import pMap from 'p-map';
import { findRecord } from '../archive/read-records.ts';
import type { Records } from '../archive/records.ts';
import type { NewItem } from '../items/item.ts';
import type { ItemState } from '../items/item-state.ts';
import { reconcile, type Step } from '../items/reconcile.ts';
import type { ItemRecord } from '../items/record.ts';
import { type Found, isReadable, type Unreadable } from '../items/unreadable.ts';
import type { SeenItems } from './batch-look.ts';

/** An item with what is known of it and what is to be done with it. `was`: its state in Redis. */
export type Planned<T> = {
  item: T;
  was: ItemState | undefined;
  step: Step;
  record?: ItemRecord;
  unreadable?: Unreadable;
  /** It had ended, and its record is gone from the archive. To follow the step would pay for it again. */
  isLost: boolean;
};

export type PlanPorts = {
  now: () => number;
  records: Pick<Records, 'read'>;
  /** The ids that have a record. */
  recorded: Pick<ReadonlySet<string>, 'has'>;
  /**
   * What was seen of the records a moment ago. Those of archived items are not read, since nothing leaves that state, nor are those of
   * others that nothing is to be done for: what leads to a job is read anew.
   */
  archived?: SeenItems;
  /** The items' states in Redis, in their order; all undefined where Redis is not asked. */
  states(batch: string, ids: readonly string[]): Promise<readonly (ItemState | undefined)[]>;
  settings: { onUnknown: 'hold' | 'resubmit'; storedTtlMs: number };
};

const READS_AT_ONCE = 32;

/**
 * What is to be done with each of some items: the one pass that `plan`, `run` and `enqueue` go by. Changes nothing. Only records
 * that can matter are read: an item that Redis knows as archived needs none. Throws the archive's errors.
 */
export async function stepsOf<T extends NewItem>(
  batch: string,
  items: readonly T[],
  ports: PlanPorts,
): Promise<Planned<T>[]> {
  const { records, recorded, settings } = ports;
  const states = await ports.states(
    batch,
    items.map(({ id }) => id),
  );
  const read = (id: string) => findRecord(records, batch, id);
  const stepFor = (was: ItemState | undefined, record: ItemRecord | undefined) =>
    reconcile(was, record, { ...settings, now: ports.now() });
  const endedAsSeen = (id: string, was: ItemState | undefined): Found | undefined => {
    const seen = ports.archived?.find(id);
    return seen && isReadable(seen) && stepFor(was, seen).job === undefined ? seen : undefined;
  };
  const plan = async (item: T, index: number): Promise<Planned<T>> => {
    const was = states[index];
    const isRecorded = recorded.has(item.id);
    if (isRecorded && was === 'archived') return { item, was, step: {}, isLost: false };
    if (isRecorded && was === undefined && ports.archived?.has(item.id)) {
      return { item, was, step: { admitAs: 'archived' }, isLost: false };
    }
    // A record that the listing lacks may have been written since.
    const found = isRecorded || hadRecord(was) ? (endedAsSeen(item.id, was) ?? (await read(item.id))) : undefined;
    // Its run ends, and it is told of. A person can put the record right.
    if (found && !isReadable(found)) {
      return { item, was, step: { admitAs: 'failed' }, unreadable: found, isLost: false };
    }
    const step = stepFor(was, found);
    return { item, was, step, ...(found && { record: found }), isLost: !found && hadRecord(was) };
  };
  return pMap(items, plan, { concurrency: READS_AT_ONCE });
}

/** The record of such an item was written before its state was set. */
export function hadRecord(state: ItemState | undefined): boolean {
  return state === 'archived' || state === 'failed' || state === 'held';
}
