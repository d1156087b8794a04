import type { Archive } from '../archive/archive.ts';
import { listIds } from '../archive/batch-listing.ts';
import { isImageThere } from '../archive/image-there.ts';
import { layout } from '../archive/layout.ts';
import { readRecords } from '../archive/read-records.ts';
import { type Records, recordsIn } from '../archive/records.ts';
import { readSegmentList, type SegmentEntry } from '../archive/segment-list.ts';
import { leftWaiting } from '../batch/left-waiting.ts';
import { type RecordedIds, settled } from '../batch/settle-ids.ts';
import { stepsOf } from '../batch/steps.ts';
import { messageOf } from '../errors.ts';
import type { NewItem } from '../items/item.ts';
import { slugOfId } from '../items/item-id.ts';
import type { ItemRecord } from '../items/record.ts';
import { isReadable } from '../items/unreadable.ts';
import { kindOfSubmit } from '../money/prices.ts';
import { type Difference, differenceOf } from './difference.ts';
import { type NameSet, printsOfNames } from './name-set.ts';

/**
 * What an archive holds of the wanted items, judged mostly by the names of its files. `begun`: items with a record and
 * no image that will not be submitted, because they are running, held or failed. `missing`: items that are archived by their record, and
 * their image is not there any more; nothing is submitted for them. `unreadable`: records that cannot be read, whether their images are
 * there or not; nothing is submitted for them either. Of items with an image so many records are read as are allowed. `unread`: further items with a record
 * and no image, whose records are not read; some may be submitted. `left`: items that would be submitted, by model.
 */
export type Survey =
  | {
      kind: 'looked';
      archived: number;
      /** Taken over from their former names, at no cost. */
      adopted: number;
      begun: number;
      missing: number;
      unreadable: number;
      unread: number;
      left: Readonly<Record<string, number>>;
      /** What earlier runs left waiting and this manifest, or this part of it, does not have. A run makes it too. By model. */
      waiting: Readonly<Record<string, number>>;
      /** Where something is to be made and something is recorded. */
      difference?: Difference;
    }
  | { kind: 'unreachable'; message: string };

/** A listing without any answer for so long is aborted. */
const SILENCE_TIMEOUT_MS = 10_000;
/** At most so many records are read, of items without an image, and of those with one. */
const MOST_READ = 2_000;

/**
 * Compares a manifest's items with the archive. Never throws an error of the archive: the result is then `unreachable`.
 */
export async function survey(
  open: () => Promise<Archive>,
  batch: string,
  items: () => AsyncIterable<NewItem>,
  settings: { onUnknown: 'hold' | 'resubmit'; storedTtlMs: number; isPart?: boolean },
): Promise<Survey> {
  let held: { archive: Archive; records: Records; recorded: RecordedIds & { size: number }; pictured: NameSet };
  try {
    const archive = await open();
    held = {
      archive,
      records: recordsIn(archive),
      ...(await namesIn(archive, batch)),
    };
  } catch (error) {
    return { kind: 'unreachable', message: messageOf(error) };
  }
  const wanted = printsOfNames();
  let [archived, adopted, unread] = [0, 0, 0];
  const toRead: NewItem[] = [];
  const toCheck: string[] = [];
  const left: Record<string, number> = {};
  const count = (item: NewItem, record?: ItemRecord) => {
    const kind = kindOfSubmit(item, record);
    left[kind] = (left[kind] ?? 0) + 1;
  };
  for await (const item of settled(batch, items(), held.recorded, undefined)) {
    const { id, adopts } = item;
    wanted.add(id);
    if (adopts?.some((former) => held.pictured.has(former))) adopted++;
    else if (!held.recorded.has(id)) count(item);
    else if (held.pictured.has(id)) {
      archived++;
      if (toCheck.length < MOST_READ) toCheck.push(id);
    } else if (toRead.length < MOST_READ) toRead.push(item);
    else unread++;
  }
  let [begun, missing, unreadable] = [0, 0, 0];
  let difference: Difference | undefined;
  let waiting: Record<string, number>;
  try {
    const { archive, records, recorded, pictured } = held;
    const ports = { now: Date.now, records, recorded, states: async () => [], settings };
    for (const { item, step, record, unreadable: spoilt } of await stepsOf(batch, toRead, ports)) {
      if (spoilt) unreadable++;
      else if (step.job === 'submit') count(item, record);
      else if (record?.state !== 'archived') begun++;
      // It may have come since the listing.
      else if (await isImageThere(archive, record.image)) archived++;
      else missing++;
    }
    for await (const found of readRecords(records, batch, toCheck)) {
      if (isReadable(found)) continue;
      unreadable++;
      archived--;
    }
    const { isPart = false } = settings;
    if (recorded.size > 0 && Object.keys(left).length > 0)
      difference = await differenceOf(batch, items(), { records, isPart });
    const mayWait = async (ids: readonly string[]) => ids.map((id) => !pictured.has(id));
    waiting = await leftWaiting(batch, { archive, records, recorded, wanted: wanted.asSet(), mayWait });
  } catch (error) {
    return { kind: 'unreachable', message: messageOf(error) };
  }
  return {
    kind: 'looked',
    archived,
    adopted,
    begun,
    missing,
    unreadable,
    unread,
    left,
    waiting,
    ...(difference && { difference }),
  };
}

/** The names of the batch's records and of its images, by two listings. Throws the archive's errors. */
async function namesIn(archive: Archive, batch: string) {
  const { segments } = await readSegmentList(archive, batch);
  const [ids, slugs, pictured] = [printsOfNames(), printsOfNames(), printsOfNames()];
  await listed(archive, layout.records(batch), segments, (id) => {
    ids.add(id);
    slugs.add(slugOfId(id));
  });
  await listed(archive, layout.images(batch), segments, pictured.add);
  const [{ size, has }, { has: hasSlug }] = [ids.asSet(), slugs.asSet()];
  const recorded: RecordedIds & { size: number } = { size, has, hasSlug };
  return { recorded, pictured: pictured.asSet() };
}

/** Rejects when nothing comes for a while. */
async function listed(
  archive: Archive,
  prefix: string,
  segments: readonly SegmentEntry[],
  onId: (id: string) => void,
): Promise<void> {
  const controller = new AbortController();
  const silence = new Error(`no answer within ${SILENCE_TIMEOUT_MS / 1_000} s`);
  const timer = setTimeout(() => controller.abort(silence), SILENCE_TIMEOUT_MS);
  const heard = (id: string) => {
    timer.refresh();
    onId(id);
  };
  try {
    await listIds(archive, prefix, segments, { onId: heard, signal: controller.signal });
  } finally {
    clearTimeout(timer);
  }
}
