import type { Archive } from '../archive/archive.ts';
import { layout } from '../archive/layout.ts';
import { type Records, recordsIn } from '../archive/records.ts';
import { readRecords } from '../batch/read-records.ts';
import { messageOf } from '../errors.ts';
import { reconcile } from '../items/reconcile.ts';
import type { NewItem } from '../manifest/manifest.ts';
import { type NameSet, nameSetOf } from './name-set.ts';

/**
 * What an archive holds of the items that are asked for, mostly by the names of its files. `begun` has a record, no image, and will
 * not be submitted: it is under way, held or failed. `unread` is what has a record too, but too many have: some of it may be submitted.
 */
export type Survey =
  | { kind: 'looked'; archived: number; begun: number; unread: number; left: Readonly<Record<string, number>> }
  | { kind: 'unreachable'; message: string };

/** An archive that says nothing for so long is not waited for. */
const PATIENCE_MS = 10_000;
/** Records that are read, of items without an image. */
const MOST_READ = 2_000;
const CHUNK = 500;

/** `left` are the items of each model that would be submitted. Never throws for the archive's sake. */
export async function survey(
  open: () => Promise<Archive>,
  batch: string,
  items: () => AsyncIterable<NewItem>,
  byModel: Readonly<Record<string, number>>,
  settings: { onUnknown: 'hold' | 'resubmit'; storedTtlMs: number },
): Promise<Survey> {
  let held: { records: Records; recorded: NameSet; pictured: NameSet };
  try {
    const archive = await open();
    held = {
      records: recordsIn(archive),
      recorded: await nameSetOf(namesUnder(archive, layout.records(batch))),
      pictured: await nameSetOf(namesUnder(archive, layout.images(batch))),
    };
  } catch (error) {
    return { kind: 'unreachable', message: messageOf(error) };
  }
  if (held.recorded.size === 0) return { kind: 'looked', archived: 0, begun: 0, unread: 0, left: byModel };
  let [archived, unread] = [0, 0];
  const toRead = new Set<string>();
  const left: Record<string, number> = {};
  for await (const { id, request } of items()) {
    if (!held.recorded.has(id)) left[request.model] = (left[request.model] ?? 0) + 1;
    else if (held.pictured.has(id)) archived++;
    else if (toRead.size < MOST_READ) toRead.add(id);
    else unread++;
  }
  let begun = 0;
  try {
    for await (const records of readRecords(held.records, each(toRead), batch, CHUNK)) {
      for (const record of records) {
        if (reconcile(undefined, record, { ...settings, now: Date.now() }).job !== 'submit') begun++;
        else left[record.request.model] = (left[record.request.model] ?? 0) + 1;
      }
    }
  } catch (error) {
    return { kind: 'unreachable', message: messageOf(error) };
  }
  return { kind: 'looked', archived, begun, unread, left };
}

async function* each(ids: Iterable<string>): AsyncGenerator<string> {
  yield* ids;
}

/** Of all files under a prefix, without their endings. */
async function* namesUnder(archive: Archive, prefix: string): AsyncGenerator<string> {
  const controller = new AbortController();
  const silence = new Error(`no answer within ${PATIENCE_MS / 1_000} s`);
  const timer = setTimeout(() => controller.abort(silence), PATIENCE_MS);
  try {
    for await (const key of archive.list(prefix, controller.signal)) {
      timer.refresh();
      yield key.slice(prefix.length, key.lastIndexOf('.'));
    }
  } finally {
    clearTimeout(timer);
  }
}
