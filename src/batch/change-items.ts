import pMap from 'p-map';
import { CorruptRecordError } from '../archive/records.ts';
import type { ItemState } from '../items/item-state.ts';
import { type ItemRecord, tasksOf } from '../items/record.ts';
import { itemOfRecord, resumedTask } from '../items/transitions.ts';
import type { Connections } from '../wiring/connections.ts';

export type ChangePorts = Pick<Connections, 'records' | 'state' | 'queues' | 'config' | 'clock'>;

/** What a person's word asks for: `from` are the states that it is said of; `change` declines what the record does not permit. */
export type Word = {
  from: readonly ItemState[];
  change: (record: ItemRecord) => ItemRecord | undefined;
};

/**
 * An item that the word was said of, and how it stands now. `changed`: its record, or only its state where an earlier word was cut
 * off. Otherwise it had gone on, had been told before, or cannot be read.
 */
export type ToldItem = {
  id: string;
  changed: boolean;
  state: ItemState | ItemRecord['state'] | 'unreadable' | undefined;
};

type Standing = { id: string; was: ItemState };

const WRITES_AT_ONCE = 32;

/**
 * The one way to change items from outside of a stage. Items in other states are left alone. The record first, written by one of all
 * who come at once and never over what it was not shown; then the state and the job that the record stands for, whoever wrote it.
 * So a word that was cut off is completed by saying it again, and saying it twice changes nothing.
 */
export async function changeItems(
  ports: ChangePorts,
  batch: string,
  ids: readonly string[],
  { from, change }: Word,
): Promise<ToldItem[]> {
  const standing = await itemsInStates(ports, batch, ids, from);
  const failures: unknown[] = [];
  const told = await pMap(
    standing,
    (item) => tell(batch, item, change, ports).catch((error: unknown) => void failures.push(error)),
    { concurrency: WRITES_AT_ONCE },
  );
  const items = told.flatMap((one) => one ?? []);
  // Also when some could not be told: what was written is completed first.
  const followed = await followRecords(ports, batch, items);
  const failure = failures.find((error) => !(error instanceof CorruptRecordError));
  if (failure !== undefined) throw failure;
  const others = ids.filter((id) => !items.some((item) => item.id === id));
  const states = others.length > 0 ? await ports.state.intake.states(batch, others) : [];
  return [
    ...items.map(({ id, changed, record }) => ({ id, changed: changed || followed.has(id), state: record.state })),
    ...others.map((id, index) => ({ id, changed: false, state: states[index] })),
  ];
}

async function tell(
  batch: string,
  { id, was }: Standing,
  change: Word['change'],
  { records, state }: ChangePorts,
): Promise<(Standing & { changed: boolean; record: ItemRecord })[]> {
  let before: ItemRecord | undefined;
  const { written, record } = await records.update(batch, id, (now) => {
    before = now;
    return now && change(now);
  });
  if (written && before && record?.state === 'submitted' && !tasksOf(before).has(record.taskId)) {
    await state.move({ batch, id }, 'submitted', { submits: 1 });
  }
  return record ? [{ id, was, changed: written, record }] : [];
}

/** Asks again for the tasks of these items, at no cost. Their records stay until that has an end. Returns how many. */
export async function askAgain(
  { state, queues, config, clock }: Omit<ChangePorts, 'records'>,
  batch: string,
  items: readonly { was: ItemState | undefined; record: ItemRecord }[],
): Promise<number> {
  // What is being archived just now goes on; its poll finds that out.
  const isUnderWay = (was: ItemState | undefined) => was === 'submitted' || was === 'finished';
  const entries = items.flatMap(({ was, record }) =>
    isUnderWay(was) ? [] : [{ id: record.id, was, to: 'submitted' as const }],
  );
  const admitted = await state.intake.admit(batch, entries);
  const live = items.filter(({ was, record }) => isUnderWay(was) || admitted.has(record.id));
  const giveUpAt = clock.now() + config.pollGiveUpMs;
  if (live.length > 0) await queues.pollAgain(live.flatMap(({ record }) => resumedTask(record, giveUpAt)));
  return live.length;
}

/** Those of the items that are in one of these states. */
export async function itemsInStates(
  { state }: Pick<ChangePorts, 'state'>,
  batch: string,
  ids: readonly string[],
  wanted: readonly ItemState[],
): Promise<Standing[]> {
  if (ids.length === 0) return [];
  const states = await state.intake.states(batch, ids);
  return ids.flatMap((id, index) => {
    const was = states[index];
    return was !== undefined && wanted.includes(was) ? [{ id, was }] : [];
  });
}

/** State, then job. A state that has changed since it was seen belongs to whoever changed it. Returns whose state it set. */
async function followRecords(
  { state, queues, config, clock }: ChangePorts,
  batch: string,
  items: readonly (Standing & { record: ItemRecord })[],
): Promise<ReadonlySet<string>> {
  const admitted = await state.intake.admit(
    batch,
    items.map(({ id, was, record }) => ({ id, was, to: stateFor(record) })),
  );
  const records = items.map(({ record }) => record);
  const submits = records.filter((record) => stateFor(record) === 'queued').map(itemOfRecord);
  const giveUpAt = clock.now() + config.pollGiveUpMs;
  const polls = records.flatMap((record) => (record.state === 'submitted' ? resumedTask(record, giveUpAt) : []));
  if (submits.length > 0) await queues.submitAgain(submits);
  if (polls.length > 0) await queues.pollAgain(polls);
  return admitted;
}

/** The submit stage knows what a claim means. */
function stateFor({ state }: ItemRecord): ItemState {
  return state === 'claimed' ? 'queued' : state;
}
