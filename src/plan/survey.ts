import type { Archive } from '../archive/archive.ts';
import { layout } from '../archive/layout.ts';
import { messageOf } from '../errors.ts';
import type { NewItem } from '../manifest/manifest.ts';
import { type NameSet, nameSetOf } from './name-set.ts';

/**
 * What an archive holds of the items that are asked for, by the names of its files alone: no record is read, so of what is
 * recorded without an image nobody says here whether it is under way, held or failed.
 */
export type Survey =
  | { kind: 'looked'; archived: number; begun: number; left: Readonly<Record<string, number>> }
  | { kind: 'unreachable'; message: string };

/** An archive that says nothing for so long is not waited for. */
const PATIENCE_MS = 10_000;

/** `left` are the items of each model that have neither image nor record. Never throws for the archive's sake. */
export async function survey(
  open: () => Promise<Archive>,
  batch: string,
  items: () => AsyncIterable<NewItem>,
  byModel: Readonly<Record<string, number>>,
): Promise<Survey> {
  let held: { recorded: NameSet; pictured: NameSet };
  try {
    const archive = await open();
    held = {
      recorded: await nameSetOf(namesUnder(archive, layout.records(batch))),
      pictured: await nameSetOf(namesUnder(archive, layout.images(batch))),
    };
  } catch (error) {
    return { kind: 'unreachable', message: messageOf(error) };
  }
  if (held.recorded.size === 0) return { kind: 'looked', archived: 0, begun: 0, left: byModel };
  let [archived, begun] = [0, 0];
  const left: Record<string, number> = {};
  for await (const { id, request } of items()) {
    if (!held.recorded.has(id)) left[request.model] = (left[request.model] ?? 0) + 1;
    else if (held.pictured.has(id)) archived++;
    else begun++;
  }
  return { kind: 'looked', archived, begun, left };
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
