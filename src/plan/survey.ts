import type { Archive } from '../archive/archive.ts';
import { layout } from '../archive/layout.ts';
import { messageOf } from '../errors.ts';
import type { NewItem } from '../manifest/manifest.ts';

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
  let held: { recorded: ReadonlySet<number>; pictured: ReadonlySet<number> };
  try {
    const archive = await open();
    held = {
      recorded: await fingerprints(archive, layout.records(batch)),
      pictured: await fingerprints(archive, layout.images(batch)),
    };
  } catch (error) {
    return { kind: 'unreachable', message: messageOf(error) };
  }
  if (held.recorded.size === 0) return { kind: 'looked', archived: 0, begun: 0, left: byModel };
  let [archived, begun] = [0, 0];
  const left: Record<string, number> = {};
  for await (const { id, request } of items()) {
    const key = fingerprint(id);
    if (!held.recorded.has(key)) left[request.model] = (left[request.model] ?? 0) + 1;
    else if (held.pictured.has(key)) archived++;
    else begun++;
  }
  return { kind: 'looked', archived, begun, left };
}

/** Of all file names under a prefix, without their endings. */
async function fingerprints(archive: Archive, prefix: string): Promise<Set<number>> {
  const controller = new AbortController();
  const silence = new Error(`no answer within ${PATIENCE_MS / 1_000} s`);
  const timer = setTimeout(() => controller.abort(silence), PATIENCE_MS);
  const found = new Set<number>();
  try {
    for await (const key of archive.list(prefix, controller.signal)) {
      timer.refresh();
      found.add(fingerprint(key.slice(prefix.length, key.lastIndexOf('.'))));
    }
    return found;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * 53 bits of an id: a million names as text take 200 MB. By chance one of a million items is taken for another once in
 * ten thousand plans. The mixing is that of cyrb53 (public domain).
 */
export function fingerprint(id: string): number {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (let at = 0; at < id.length; at++) {
    const code = id.charCodeAt(at);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return 4294967296 * (2097151 & b) + (a >>> 0);
}
