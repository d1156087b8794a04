import { createHash } from 'node:crypto';
import sharp from 'sharp';
import type { Archive } from '../../src/archive/archive.ts';
import { layout } from '../../src/archive/layout.ts';
import { findRecord } from '../../src/archive/read-records.ts';
import { recordsIn } from '../../src/archive/records.ts';
import type { ItemRecord } from '../../src/items/record.ts';
import type { Unreadable } from '../../src/items/unreadable.ts';
import type { Ledger, TaskSeen } from '../../src/simulator/ledger.ts';
import type { Cut } from './cut-records.ts';

/** An item as the manifest has it; prompts are unique, so that the ledger's tasks find their items. */
export type Wanted = { id: string; prompt: string };

/** What the provider has written down, and whether any URL of a task's image still yields it. */
export type Provider = { ledger: Ledger; isAlive: (taskId: string) => Promise<boolean> };

/** Records that somebody has cut off, and what the product says of each item: the rows of `results`, by id. */
export type Damage = { cuts: ReadonlyMap<string, Cut>; rows: ReadonlyMap<string, RowSeen> };
export type RowSeen = { state: string; taskId: string | null; failureMessage: string | null };
const NO_DAMAGE: Damage = { cuts: new Map(), rows: new Map() };

export type Figures = {
  items: number;
  archived: number;
  failed: number;
  held: number;
  /** Whose record was cut off. */
  unreadable: number;
  /** Tasks that the provider started. */
  tasks: number;
  /**
   * No record, one that has not ended, or an end that neither the provider's word nor an unknown outcome explains. Of a record that
   * was cut off: it was written over, or its row does not say so.
   */
  lost: number;
  /**
   * Tasks that no record names, but for one for each submit whose outcome the record calls unknown. A record that was cut off named
   * what it named before.
   */
  unaccounted: number;
  /** Given up as gone while one of the image's URLs lived. */
  expired: number;
  /** Images that do not decode, are not what their record says, or are another item's. */
  corrupt: number;
  /** Tasks beyond the first of an item. */
  chargedTwice: number;
  /** The items that made the figures above what they are, for whoever has to find out why. */
  remarks: string[];
};

/** The end of a run by two witnesses: what the provider wrote down, and what is in the archive. No log, no Redis. */
export async function judge(
  archive: Archive,
  batch: string,
  wanted: readonly Wanted[],
  { ledger, isAlive }: Provider,
  { cuts, rows }: Damage = NO_DAMAGE,
): Promise<Figures> {
  const records = recordsIn(archive);
  const figures: Figures = {
    items: wanted.length,
    ...{ archived: 0, failed: 0, held: 0, unreadable: 0, tasks: ledger.taskLog.length },
    ...{ lost: 0, unaccounted: 0, expired: 0, corrupt: 0, chargedTwice: 0, remarks: [] },
  };
  const tasksOf = new Map<string, TaskSeen[]>();
  for (const task of ledger.taskLog) tasksOf.set(promptOf(task), [...(tasksOf.get(promptOf(task)) ?? []), task]);
  for (const { id, prompt } of wanted) {
    const tasks = tasksOf.get(prompt) ?? [];
    tasksOf.delete(prompt);
    const found = await findRecord(records, batch, id);
    const cut = cuts.get(id);
    const remark = (what: string) => figures.remarks.push(`${what}: ${id} is ${wordsOf(found)}, ${tasks.length} tasks`);
    const record = found?.state === 'unreadable' ? undefined : found;
    if (found && isEnd(found.state)) figures[found.state] += 1;
    const isTold = cut === undefined ? isExplained(record, tasks) : await isToldOf(cut, found, rows.get(id), archive);
    if (!isTold) {
      figures.lost += 1;
      remark('lost');
    }
    const known = cut?.record ?? record;
    const nameless = tasks.filter(({ taskId }) => !namedIn(known).includes(taskId)).length;
    // A record may have been cut off before it was found out that its task is another's.
    const named = namedIn(known).filter((taskId) => !cut || tasks.some((task) => task.taskId === taskId));
    const unaccounted = Math.max(0, nameless - unknownsOf(known, named));
    figures.unaccounted += unaccounted;
    if (unaccounted > 0) remark('unaccounted');
    figures.chargedTwice += Math.max(0, tasks.length - 1);
    if (tasks.length > 1) remark('charged twice');
    const isGivenUp = record?.state === 'failed' && record.failure.class === 'expired';
    if (isGivenUp && record.taskId !== undefined && (await isAlive(record.taskId))) {
      figures.expired += 1;
      remark('expired');
    }
    const flaw = record?.state === 'archived' ? await flawOf(archive, record, prompt) : undefined;
    if (flaw !== undefined) {
      figures.corrupt += 1;
      remark(`corrupt, ${flaw}`);
    }
  }
  const strangers = [...tasksOf.values()].flat().length;
  figures.unaccounted += strangers;
  if (strangers > 0) figures.remarks.push(`unaccounted: ${strangers} tasks of no item`);
  return figures;
}

/** Whether an item's end is one that we promise: its image, the provider's own refusal, or an honest "unknown". */
function isExplained(record: ItemRecord | undefined, tasks: readonly TaskSeen[]): boolean {
  switch (record?.state) {
    case 'archived':
      return tasks.some(({ taskId, outcome }) => taskId === record.taskId && outcome === 'success');
    case 'failed':
      if (record.failure.class === 'generation-failed')
        return tasks.some(({ taskId, outcome }) => taskId === record.taskId && outcome.endsWith('failed'));
      return ['content-policy', 'invalid-parameters', 'expired'].includes(record.failure.class);
    case 'held':
      return record.failure.class === 'unknown-outcome';
    default:
      return false;
  }
}

function namedIn(record: ItemRecord | undefined): string[] {
  if (record === undefined) return [];
  const current = 'taskId' in record && record.taskId !== undefined ? [record.taskId] : [];
  return [...record.earlierTaskIds, ...current];
}

/** Nobody has written over it, and its row says what it is, in which file, and the task that the text still names. */
async function isToldOf(
  { key, left }: Cut,
  found: ItemRecord | Unreadable | undefined,
  row: RowSeen | undefined,
  archive: Archive,
): Promise<boolean> {
  if (found?.state !== 'unreadable' || row?.state !== 'unreadable') return false;
  const [stored, aside] = [await archive.read(key), await archive.read(layout.aside(found.batch, found.id))];
  return (
    stored?.equals(left) === true &&
    row.failureMessage?.includes(key) === true &&
    row.taskId === (taskIn(left) ?? (aside && taskIn(aside)) ?? null)
  );
}

function taskIn(left: Buffer): string | null {
  return /"taskId": "([^"]+)"/.exec(left.toString())?.[1] ?? null;
}

const ENDS = ['archived', 'failed', 'held', 'unreadable'] as const;
type End = (typeof ENDS)[number];
const isEnd = (state: string): state is End => ENDS.some((end) => end === state);

function wordsOf(found: ItemRecord | Unreadable | undefined): string {
  if (!found) return 'without a record';
  if (found.state === 'unreadable') return found.message;
  return 'failure' in found ? `${found.state} (${found.failure.class}: ${found.failure.message})` : found.state;
}

/** How many of the record's submits may have started a task whose id nobody was told. */
function unknownsOf(record: ItemRecord | undefined, named: readonly string[]): number {
  return record === undefined ? 0 : Math.max(0, record.attempts - named.length);
}

async function flawOf(
  archive: Archive,
  record: Extract<ItemRecord, { state: 'archived' }>,
  prompt: string,
): Promise<string | undefined> {
  const body = await archive.read(record.image);
  if (body === undefined) return 'no image';
  if (body.length !== record.bytes) return `${body.length} bytes and not ${record.bytes}`;
  if (createHash('sha256').update(body).digest('hex') !== record.sha256) return 'another sha256';
  // The simulator writes into each image whose it is.
  if (!body.includes(JSON.stringify(prompt))) return "another item's image";
  try {
    const { info } = await sharp(body, { failOn: 'error' }).raw().toBuffer({ resolveWithObject: true });
    if (info.width !== record.width || info.height !== record.height) return 'another size';
  } catch {
    return 'does not decode';
  }
  const thumb = await archive.read(layout.thumb(record.batch, record.id));
  return thumb === undefined ? 'no thumbnail' : undefined;
}

function promptOf({ request }: TaskSeen): string {
  return typeof request === 'object' && request !== null && 'prompt' in request ? String(request.prompt) : '';
}
