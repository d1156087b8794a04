import { openBatchRecords } from '../archive/batch-records.ts';
import { readable, readRecords } from '../archive/read-records.ts';
import { UsageError } from '../errors.ts';
import { isUnknown } from '../items/charges.ts';
import { lostToAskFor } from '../items/images.ts';
import { mayYieldItsImage } from '../items/reconcile.ts';
import type { ItemRecord } from '../items/record.ts';
import type { Unreadable } from '../items/unreadable.ts';
import type { Connections } from '../wiring/connections.ts';
import { askAgain } from './change-items.ts';
import { chunksOf } from './chunks-of.ts';
import { type RestorePorts, restoredBatch } from './restore.ts';

/**
 * What can be done for an item, by its record alone:
 * - `ask`: its task is paid for, its image is not archived, and the provider still keeps it
 * - `ask-for-lost`: the same of some images of a task, whose others are archived
 * - `too-old`: it was, but the provider has deleted the image by now
 * - `no-task`: a submit with an unknown outcome; without its task id there is nothing to ask for
 * - `nothing`: archived, never submitted, or ended by the provider itself
 */
export type RescueStep = 'ask' | 'ask-for-lost' | 'too-old' | 'no-task' | 'nothing';

export function rescueStep(record: ItemRecord, now: number, storedTtlMs: number): RescueStep {
  if (isUnknown(record)) return 'no-task';
  if (record.state === 'archived') {
    if (lostToAskFor(record).length === 0) return 'nothing';
    return now < diesAt(record, storedTtlMs) ? 'ask-for-lost' : 'too-old';
  }
  if (!mayHaveAnImage(record, storedTtlMs)) return 'nothing';
  return mayHaveAnImage(record, storedTtlMs, now) ? 'ask' : 'too-old';
}

/** `now` left out: at the time of its submit. An image once found gone may have been only for a while: asking costs nothing. */
function mayHaveAnImage(record: ItemRecord, storedTtlMs: number, now = Number.NEGATIVE_INFINITY): boolean {
  if (record.state === 'submitted') return now < diesAt(record, storedTtlMs);
  if (record.state !== 'failed' && record.state !== 'held') return false;
  const failure =
    record.failure.class === 'expired' ? { ...record.failure, class: 'unreachable' as const } : record.failure;
  return mayYieldItsImage({ ...record, failure }, { now, storedTtlMs });
}

function diesAt({ timings }: ItemRecord, storedTtlMs: number): number {
  return Date.parse(timings.submitted ?? timings.queued) + storedTtlMs;
}

/** `inPart`: archived items that lack images which may still be had; nobody has asked for these yet. */
export type Rescue = {
  asked: string[];
  inPart: string[];
  tooOld: string[];
  noTask: string[];
  unreadable: Unreadable[];
};

const CHUNK = 500;

/**
 * Takes every item that can be rescued up again, to be asked for; nothing is ever submitted by this. Redis may be empty.
 * Throws a UsageError: `batch-unknown`, `archive-differs`, `api-differs`.
 */
export async function takeUp(
  connections: RestorePorts,
  batch: string,
  onProgress: (asked: number) => void = () => {},
): Promise<Rescue> {
  const { config, clock, records, archive } = connections;
  const { api } = await restoredBatch(connections, batch);
  if (api !== '' && api !== config.apiUrl) {
    throw new UsageError('api-differs', `The batch ${batch} is made at ${api}, not at ${config.apiUrl}`, {
      hint: 'Its tasks are known there: name the same in FLUX_API_URL.',
    });
  }
  const rescue: Rescue = { asked: [], inPart: [], tooOld: [], noTask: [], unreadable: [] };
  const held = await openBatchRecords({ archive, records }, batch);
  const found = readable(held.all(), (unreadable) => void rescue.unreadable.push(unreadable));
  for await (const some of chunksOf(found, CHUNK)) {
    const now = clock.now();
    const toAsk: ItemRecord[] = [];
    for (const record of some) {
      const step = rescueStep(record, now, config.storedTtlMs);
      if (step === 'ask') toAsk.push(record);
      if (step === 'ask-for-lost') rescue.inPart.push(record.id);
      if (step === 'too-old') rescue.tooOld.push(record.id);
      if (step === 'no-task') rescue.noTask.push(record.id);
    }
    await askAgain(connections, batch, await notYetThere(toAsk));
    rescue.asked.push(...toAsk.map(({ id }) => id));
    onProgress(rescue.asked.length);
  }
  return rescue;

  /** What was archived since its record was read is left alone. */
  async function notYetThere(records: readonly ItemRecord[]) {
    if (records.length === 0) return [];
    const ids = records.map(({ id }) => id);
    const states = await connections.state.intake.states(batch, ids);
    return records.flatMap((record, index) => {
      const was = states[index];
      return was === 'archived' ? [] : [{ was, record }];
    });
  }
}

export type Rescued = { id: string; name: string; state: ItemRecord['state']; class?: string; message?: string };

/** What became of the items that were asked for, by their records. */
export async function rescuedItems(
  { records }: Pick<Connections, 'records'>,
  batch: string,
  ids: readonly string[],
): Promise<Rescued[]> {
  const found: Rescued[] = [];
  for await (const record of readable(readRecords(records, batch, ids), () => {})) {
    const { id, name, state } = record;
    const failure = record.state === 'failed' || record.state === 'held' ? record.failure : undefined;
    found.push({ id, name, state, ...(failure && { class: failure.class, message: failure.message }) });
  }
  return found;
}
