import { openBatchRecords } from '../archive/batch-records.ts';
import { readMembersOf } from '../archive/items-member.ts';
import { readable, readRecords } from '../archive/read-records.ts';
import { UsageError } from '../errors.ts';
import { laneOf } from '../items/item.ts';
import type { ItemState } from '../items/item-state.ts';
import type { ItemRecord } from '../items/record.ts';
import { failedRecord, itemOfRecord, requeuedRecord, submittedRecord } from '../items/transitions.ts';
import type { Unreadable } from '../items/unreadable.ts';
import { formatDuration } from '../text/duration.ts';
import { plain, shorten } from '../text/terminal.ts';
import type { Connections } from '../wiring/connections.ts';
import { type ChangePorts, changeItems, type ToldItem } from './change-items.ts';
import { unfedIds } from './leave-to-feed.ts';

/** Told of what is passed over. */
export type PassOver = (unreadable: Unreadable) => void;
export type HeldRecord = Extract<ItemRecord, { state: 'held' }>;

const CHUNK = 500;

/** By Redis where it knows the batch, otherwise by the archive's records alone. */
export async function* heldItems(
  { state, archive, records }: Pick<Connections, 'state' | 'archive' | 'records'>,
  batch: string,
  passOver: PassOver = () => {},
): AsyncGenerator<HeldRecord> {
  const found = (await state.counts(batch))
    ? readRecords(records, batch, state.itemsIn(batch, ['held']))
    : (await openBatchRecords({ archive, records }, batch)).all();
  for await (const record of readable(found, passOver)) {
    if (record.state === 'held') yield record;
  }
}

/** What a person needs to decide. */
export function describeHeld(record: HeldRecord, now: number): string[] {
  const { failure, timings, request, earlierTaskIds, taskId, attempts } = record;
  const submitted =
    timings.submitted === undefined
      ? 'never'
      : `${timings.submitted} (${formatDuration(now - Date.parse(timings.submitted))} ago), ${attempts === 1 ? 'the first attempt' : `attempt ${attempts}`}`;
  return [
    `${record.id}`,
    `  name       ${plain(record.name)}`,
    `  prompt     ${shorten(plain(request.prompt), 200)}`,
    `  why        ${failure.class}: ${plain(failure.message)}`,
    `  submitted  ${submitted}`,
    ...(taskId === undefined ? [] : [`  task       ${taskId}`]),
    ...(earlierTaskIds.length === 0 ? [] : [`  earlier    ${earlierTaskIds.join(', ')}`]),
  ];
}

export type Picked = { held: HeldRecord[]; others: { id: string; state: ItemState | undefined }[] };

/** The items of these ids or names. Throws a UsageError (`item-unknown`) for one that the batch has not. */
export async function pick(
  connections: Pick<Connections, 'state' | 'archive' | 'records'>,
  batch: string,
  wanted: readonly string[] | 'all',
): Promise<Picked> {
  const held: HeldRecord[] = [];
  for await (const record of heldItems(connections, batch)) held.push(record);
  if (wanted === 'all') return { held, others: [] };

  const found = held.filter(({ id, name }) => wanted.includes(id) || wanted.includes(name));
  const missing = wanted.filter((one) => !found.some(({ id, name }) => id === one || name === one));
  if (missing.length === 0) return { held: found, others: [] };
  const states = await connections.state.intake.states(batch, missing);
  const unfed = await unfedIds(batch, { feeds: connections.state.feeds, read: readMembersOf(connections.archive) });
  const others = missing.map((id, index) => ({ id, state: states[index] ?? (unfed.has(id) ? 'queued' : undefined) }));
  const unknown = others.filter(({ state }) => state === undefined).map(({ id }) => id);
  if (unknown.length === 0) return { held: found, others };
  throw new UsageError('item-unknown', `${batch} has no item ${unknown.join(', ')}`, {
    hint:
      held.length === 0
        ? 'No item of it is held.'
        : `Held: ${held
            .slice(0, 10)
            .map(({ id }) => id)
            .join(', ')}${held.length > 10 ? ', …' : ''}`,
  });
}

/** They are given up: failed, of the class `cancelled`, which a plain retry leaves alone. */
export async function drop(ports: ChangePorts, batch: string, held: readonly HeldRecord[]): Promise<ToldItem[]> {
  const told: ToldItem[] = [];
  for (let start = 0; start < held.length; start += CHUNK) {
    const ids = held.slice(start, start + CHUNK).map(({ id }) => id);
    told.push(...(await changeItems(ports, batch, ids, { from: ['held'], change: droppedRecord })));
  }
  return told;
}

function droppedRecord(record: ItemRecord): ItemRecord | undefined {
  if (record.state !== 'held') return undefined;
  const message = `Dropped by a person; before, ${record.failure.class}: ${record.failure.message}`;
  return failedRecord(itemOfRecord(record), record, { class: 'cancelled', message });
}

/** A person found the task: it is recorded, then polled like any other. */
export async function attach(
  ports: ChangePorts,
  { batch, id }: HeldRecord,
  taskId: string,
): Promise<ToldItem | undefined> {
  const [told] = await changeItems(ports, batch, [id], {
    from: ['held'],
    change: (record) => {
      if (record.state !== 'held') return undefined;
      const former = record.taskId === undefined || record.taskId === taskId ? record : requeuedRecord(record);
      const submittedAt = Date.parse(record.timings.submitted ?? record.timings.queued);
      const giveUpAt = ports.clock.now() + ports.config.pollGiveUpMs;
      // It was submitted in the account that the record names, and no other knows it.
      const task = { taskId, submittedAt, giveUpAt, recorded: true, ...laneOf(record) };
      return submittedRecord({ ...itemOfRecord(record), ...task }, former);
    },
  });
  return told;
}
