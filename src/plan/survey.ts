import type { Archive } from '../archive/archive.ts';
import { layout } from '../archive/layout.ts';
import { type Records, recordsIn } from '../archive/records.ts';
import { stepsOf } from '../batch/steps.ts';
import { messageOf } from '../errors.ts';
import type { NewItem } from '../items/item.ts';
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
  const toRead: NewItem[] = [];
  const left: Record<string, number> = {};
  for await (const item of items()) {
    const { id, request } = item;
    if (!held.recorded.has(id)) left[request.model] = (left[request.model] ?? 0) + 1;
    else if (held.pictured.has(id)) archived++;
    else if (toRead.length < MOST_READ) toRead.push(item);
    else unread++;
  }
  let begun = 0;
  try {
    const { records, recorded } = held;
    const ports = { now: Date.now, records, recorded, states: async () => [], settings };
    for (const { item, step } of await stepsOf(batch, toRead, ports)) {
      if (step.job !== 'submit') begun++;
      else left[item.request.model] = (left[item.request.model] ?? 0) + 1;
    }
  } catch (error) {
    return { kind: 'unreachable', message: messageOf(error) };
  }
  return { kind: 'looked', archived, begun, unread, left };
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
