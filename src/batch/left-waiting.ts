import type { Archive } from '../archive/archive.ts';
import { readBatchFile } from '../archive/batch-file.ts';
import { readItemsFile } from '../archive/items-file.ts';
import { isItemsFileLost, readMembersOf } from '../archive/items-member.ts';
import { readable, readRecords } from '../archive/read-records.ts';
import type { Records } from '../archive/records.ts';
import type { NewItem } from '../items/item.ts';
import { kindOfItem, kindOfSubmit } from '../money/prices.ts';
import type { Connections } from '../wiring/connections.ts';
import { chunksOf } from './chunks-of.ts';
import { unfedIds } from './leave-to-feed.ts';
import { recordedIds, settled } from './settle-ids.ts';

export type LeftWaitingPorts = {
  archive: Archive;
  records: Records;
  /** The ids that have a record. */
  recorded: { has(id: string): boolean };
  /** The ids that are asked for now: what waits of these is no surprise. */
  wanted: { has(id: string): boolean };
  /** Which of some items may still wait, in their order. */
  mayWait(ids: readonly string[]): Promise<readonly boolean[]>;
};

const CHUNK = 1_000;

/**
 * Items of each model that earlier runs of a batch left waiting, and that the wanted ones are not: of a former manifest, of the
 * rest of it, takes of `redo`. They are made and paid for as soon as anybody works on the batch.
 */
export async function leftWaiting(batch: string, ports: LeftWaitingPorts): Promise<Record<string, number>> {
  const byModel: Record<string, number> = {};
  const count = (model: string) => {
    byModel[model] = (byModel[model] ?? 0) + 1;
  };
  await countNeverSent(batch, ports, count);
  await countQueuedAgain(batch, ports, count);
  return byModel;
}

/** They have no record: only the lists of what was enqueued have them. A batch that has ended has none. */
async function countNeverSent(
  batch: string,
  { archive, recorded, wanted, mayWait }: LeftWaitingPorts,
  count: (model: string) => void,
): Promise<void> {
  const file = await readBatchFile(archive, batch);
  if (file?.manifest === undefined || file.totals !== undefined) return;
  const counted = new Set<string>();
  const { items, former = [] } = file.manifest;
  for (const name of [...items, ...former]) {
    for await (const some of chunksOf(asFarAsRead(readItemsFile(archive, batch, name)), CHUNK)) {
      const others = some.filter(({ id }) => !wanted.has(id) && !recorded.has(id) && !counted.has(id));
      const may = await mayWait(others.map(({ id }) => id));
      for (const [index, { id, request, providers }] of others.entries()) {
        if (!may[index] || request === undefined) continue;
        counted.add(id);
        count(kindOfItem({ request, providers }));
      }
    }
  }
}

/** What only a lost file had cannot be made, until its manifest is enqueued again: then it is wanted. */
async function* asFarAsRead<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (error) {
    if (!isItemsFileLost(error)) throw error;
  }
}

/** Recorded as `queued`: by `redo` or `retry`, or since a claim was given back. */
async function countQueuedAgain(
  batch: string,
  { records, wanted, mayWait }: LeftWaitingPorts,
  count: (model: string) => void,
): Promise<void> {
  for await (const some of chunksOf(records.list(batch), CHUNK)) {
    const others = some.filter((id) => !wanted.has(id));
    const may = await mayWait(others);
    const waiting = others.filter((_, index) => may[index]);
    for await (const record of readable(readRecords(records, batch, waiting), () => {})) {
      if (record.state === 'queued') count(kindOfSubmit(record, record));
    }
  }
}

/** The same, where Redis can be asked which of them wait. */
export async function leftInQueue(
  { archive, records, state }: Pick<Connections, 'archive' | 'records' | 'state'>,
  batch: string,
  items: AsyncIterable<NewItem>,
): Promise<Record<string, number>> {
  if (((await state.counts(batch))?.items.queued ?? 0) === 0) return {};
  const recorded = await recordedIds(records.list(batch));
  const wanted = new Set<string>();
  for await (const { id } of settled(batch, items, recorded, state.intake.states)) wanted.add(id);
  const unfed = await unfedIds(batch, { feeds: state.feeds, read: readMembersOf(archive) });
  const mayWait = async (ids: readonly string[]) =>
    (await state.intake.states(batch, ids)).map((found, index) => found === 'queued' || unfed.has(ids[index] ?? ''));
  return leftWaiting(batch, { archive, records, recorded, wanted, mayWait });
}
