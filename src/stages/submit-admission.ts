import type { Item } from '../items/item.ts';
import { boundBy, isElsewhere } from '../items/provider-list.ts';
import type { ItemRecord } from '../items/record.ts';
import { cancelledRecord } from '../items/transitions.ts';
import { type Admission, type Confirmation, PARKED_MS, type Ports, type StageOutcome } from './ports.ts';
import { taskOfRecord } from './record-task.ts';
import { handOn } from './submit-outcome.ts';
import { waitALittle } from './wait-a-little.ts';

/** By then the worker that took the item over has written its claim. */
const REQUEUE_DELAY_MS = 1_000;
/** An item that another provider has no budget for looks so often whether the one that is preferred takes it. */
const PREFERRED_AGAIN_MS = 20_000;

/** A worker that lost the item leaves its record and state to the one that took it over. */
export async function leave(
  item: Item,
  why: Exclude<Confirmation, Permit>,
  undo: () => Promise<unknown>,
  ports: Ports,
): Promise<StageOutcome> {
  if (why === 'lost') return requeue(ports);
  await undo();
  if (why === 'cancelled') await ports.state.move(item, 'cancelled');
  return waitFor(why, item, ports);
}

/** What an item that is not admitted comes to: it waits, or it ends as cancelled. */
export async function waitFor(why: Exclude<Admission, 'admitted'>, item: Item, ports: Ports): Promise<StageOutcome> {
  switch (why) {
    case 'tripped':
      return waitALittle(ports);
    case 'out-of-budget':
      // The one that is preferred may be open again before this one has a larger budget.
      if (isElsewhere(item)) return { kind: 'later', atMs: ports.now() + PREFERRED_AGAIN_MS * (0.5 + Math.random()) };
      return { kind: 'later', atMs: ports.now() + PARKED_MS };
    case 'paused':
      return { kind: 'later', atMs: ports.now() + PARKED_MS };
    case 'cancelled':
      await recordCancelled(item, ports);
      return { kind: 'done' };
    default:
      return why satisfies never;
  }
}

/**
 * So that it has its row in the index. A record that is there knows more and is left alone; where it has ended, or has a task, the
 * item is not cancelled but what its record says.
 */
export async function recordCancelled(item: Item, ports: Ports): Promise<void> {
  const change = (now: ItemRecord | undefined) => (now ? undefined : cancelledRecord(item));
  const { written, record } = await ports.records.update(item.batch, item.id, change);
  if (written) return ports.state.outdateIndex(item.batch);
  switch (record?.state) {
    case 'submitted':
      return handOn(boundBy(item, record), taskOfRecord(record, record.taskId), ports);
    case 'archived':
    case 'failed':
    case 'held':
      await ports.state.move(item, record.state);
  }
}

export type Permit = Extract<Confirmation, 'go' | 'probe'>;

export function permits(confirmed: Confirmation): confirmed is Permit {
  return confirmed === 'go' || confirmed === 'probe';
}

/** Another worker took the item over. Its job may be ours, so the job runs again: the record will say what there is to do. */
export function requeue(ports: Ports): StageOutcome {
  return { kind: 'later', atMs: ports.now() + REQUEUE_DELAY_MS };
}
