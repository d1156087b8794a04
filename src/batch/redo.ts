import pMap from 'p-map';
import type { Archive } from '../archive/archive.ts';
import { findRecord, readable, readRecords } from '../archive/read-records.ts';
import type { Records } from '../archive/records.ts';
import { UsageError } from '../errors.ts';
import type { Item } from '../items/item.ts';
import { itemId, slug, slugOfId } from '../items/item-id.ts';
import { textInOneForm } from '../items/one-form.ts';
import { firstRequest } from '../items/provider-list.ts';
import type { ItemRecord } from '../items/record.ts';
import { firstTakeIds, MOST_TAKES } from '../items/takes.ts';
import { itemOfRecord, takeRecord } from '../items/transitions.ts';
import { isReadable } from '../items/unreadable.ts';
import type { Connections } from '../wiring/connections.ts';
import { describeMissing, inputsOfRequest, missingInputs, STORES_INPUTS } from './missing-inputs.ts';

/** Another take that is to be made. `of`: the item that it is another one of. */
export type Take = { of: ItemRecord; item: Item; take: number };

const ITEMS_AT_ONCE = 32;

type Wanted = { batch: string; items: readonly string[]; hasPlace: (id: string) => boolean; now: number };

/**
 * The next take of each item. An item is named by its id, or by its name where one item alone has it. Throws a UsageError:
 * `item-unknown`, `item-ambiguous`, `redo-not-archived`.
 */
export async function nextTakes(records: Records, { batch, items, hasPlace, now }: Wanted): Promise<Take[]> {
  const ids = new Set<string>();
  for await (const id of records.list(batch)) ids.add(id);
  const takeOf = async (given: string) =>
    nextTakeOf(records, await recordOf(records, batch, given, ids, hasPlace), ids, now);
  const takes = await pMap(items, takeOf, { concurrency: ITEMS_AT_ONCE });
  return [...new Map(takes.map((take) => [take.item.id, take])).values()];
}

/** Throws a UsageError (`input-missing`) where a picture that one starts from is not in the archive any more. */
export async function refuseWithoutInputs(archive: Archive, batch: string, takes: readonly Take[]): Promise<void> {
  const inputs = takes.map(({ item }) => inputsOfRequest(item.request));
  const missing = await missingInputs(archive, batch, inputs.flat());
  for (const [index, { of }] of takes.entries()) {
    const lacks = inputs[index]?.find((reference) => missing.has(reference));
    if (lacks === undefined) continue;
    throw new UsageError('input-missing', `${of.id}: ${describeMissing(lacks)}`, { hint: `${STORES_INPUTS}.` });
  }
}

/** Records them, then queues them. Saying it again after a crash completes it, and makes nothing twice. */
export async function queueTakes(
  { records, state, control, queues }: Pick<Connections, 'records' | 'state' | 'control' | 'queues'>,
  batch: string,
  takes: readonly Take[],
  note: string | undefined,
): Promise<void> {
  await control.uncancel(batch);
  await pMap(takes, ({ item }) => records.create(takeRecord(item, note)), { concurrency: ITEMS_AT_ONCE });
  const ids = takes.map(({ item }) => item.id);
  const states = await state.intake.states(batch, ids);
  const waiting = takes.flatMap(({ item }, index) =>
    states[index] === undefined || states[index] === 'cancelled' ? [{ item, was: states[index] }] : [],
  );
  await state.intake.admit(
    batch,
    waiting.map(({ item: { id }, was }) => ({ id, was, to: 'queued' })),
  );
  await queues.submitAgain(waiting.map(({ item }) => item));
}

async function recordOf(
  records: Records,
  batch: string,
  given: string,
  ids: ReadonlySet<string>,
  hasPlace: (id: string) => boolean,
): Promise<ItemRecord> {
  const candidates = ids.has(given) ? [given] : [...ids].filter((id) => slugOfId(id) === slug(given));
  const named: ItemRecord[] = [];
  for await (const record of readable(readRecords(records, batch, candidates), () => {})) {
    if (record.id === given || textInOneForm(record.name) === textInOneForm(given)) named.push(record);
  }
  const archived = named.filter(({ state }) => state === 'archived');
  const [some] = named;
  if (!some) {
    throw new UsageError('item-unknown', `${batch} has no item ${given}`, {
      hint: `flux-batch results ${batch} lists them, with their ids and names.`,
    });
  }
  // Of a name: what the manifest has now, and not what it had.
  const inManifest = archived.filter((record) => [...firstTakeIds(record)].some(hasPlace));
  const chosen = firstOfEach(inManifest.length > 0 ? inManifest : archived);
  const [only, other] = chosen;
  if (!only) {
    throw new UsageError('redo-not-archived', `${some.id} is ${some.state}: it has no image to make another one of`, {
      hint: `flux-batch retry ${batch} makes failed items again.`,
    });
  }
  if (other) {
    throw new UsageError('item-ambiguous', `${given} is the name of ${chosen.length} items of ${batch}`, {
      hint: `Name one by its id: ${chosen.map(({ id, variant }) => `${id} (variant ${variant})`).join(', ')}`,
    });
  }
  return only;
}

/** Takes of one item count once. */
function firstOfEach(records: readonly ItemRecord[]): ItemRecord[] {
  const firsts = new Map<string, ItemRecord>();
  for (const record of records) {
    const first = itemId(record.name, firstRequest(record), record.variant);
    if (!firsts.has(first)) firsts.set(first, record);
  }
  return [...firsts.values()];
}

/** A take that was recorded and never sent is still the next one. */
async function nextTakeOf(records: Records, of: ItemRecord, ids: ReadonlySet<string>, now: number): Promise<Take> {
  for (let take = 2; take <= MOST_TAKES; take++) {
    const id = itemId(of.name, firstRequest(of), of.variant, take);
    const item = { ...itemOfRecord(of), request: firstRequest(of), id, queuedAt: now };
    if (!ids.has(id)) return { of, item, take };
    const found = await findRecord(records, of.batch, id);
    if (found && isReadable(found) && (found.state === 'queued' || found.state === 'cancelled'))
      return { of, item, take };
  }
  throw new UsageError('redo-too-many', `${of.id} has ${MOST_TAKES} takes already, the most that are possible`);
}
