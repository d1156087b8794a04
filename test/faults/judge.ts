import { createHash } from 'node:crypto';
import sharp from 'sharp';
import type { Archive } from '../../src/archive/archive.ts';
import { layout } from '../../src/archive/layout.ts';
import { recordsIn } from '../../src/archive/records.ts';
import type { ItemRecord } from '../../src/items/record.ts';
import type { Ledger, TaskSeen } from '../../src/simulator/ledger.ts';

/** An item as the manifest has it; prompts are unique, so that the ledger's tasks find their items. */
export type Wanted = { id: string; prompt: string };

/** What the provider has written down, and whether any URL of a task's image still yields it. */
export type Provider = { ledger: Ledger; isAlive: (taskId: string) => Promise<boolean> };

export type Figures = {
  items: number;
  archived: number;
  failed: number;
  held: number;
  /** Tasks that the provider started. */
  tasks: number;
  /** No record, one that has not ended, or an end that neither the provider's word nor an unknown outcome explains. */
  lost: number;
  /** Tasks that no record names, but for one for each submit whose outcome the record calls unknown. */
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
): Promise<Figures> {
  const records = recordsIn(archive);
  const figures: Figures = {
    items: wanted.length,
    ...{ archived: 0, failed: 0, held: 0, tasks: ledger.taskLog.length },
    ...{ lost: 0, unaccounted: 0, expired: 0, corrupt: 0, chargedTwice: 0, remarks: [] },
  };
  const tasksOf = new Map<string, TaskSeen[]>();
  for (const task of ledger.taskLog) tasksOf.set(promptOf(task), [...(tasksOf.get(promptOf(task)) ?? []), task]);
  for (const { id, prompt } of wanted) {
    const tasks = tasksOf.get(prompt) ?? [];
    tasksOf.delete(prompt);
    const record = await records.read(batch, id);
    const remark = (what: string) =>
      figures.remarks.push(
        `${what}: ${id} is ${record?.state ?? 'without a record'}${record && 'failure' in record ? ` (${record.failure.class}: ${record.failure.message})` : ''}, ${tasks.length} tasks`,
      );
    if (record?.state === 'archived' || record?.state === 'failed' || record?.state === 'held')
      figures[record.state] += 1;
    if (!isExplained(record, tasks)) {
      figures.lost += 1;
      remark('lost');
    }
    const nameless = tasks.filter(({ taskId }) => !namedIn(record).includes(taskId)).length;
    const unaccounted = Math.max(0, nameless - unknownsOf(record));
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

/** How many of the record's submits may have started a task whose id nobody was told. */
function unknownsOf(record: ItemRecord | undefined): number {
  return record === undefined ? 0 : Math.max(0, record.attempts - namedIn(record).length);
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
