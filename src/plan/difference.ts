import { readRecords } from '../archive/read-records.ts';
import type { Records } from '../archive/records.ts';
import { recordedIds, settled } from '../batch/settle-ids.ts';
import type { ImageRequest, NewItem } from '../items/item.ts';
import { slug, slugOfId } from '../items/item-id.ts';
import type { ItemState } from '../items/item-state.ts';
import { requestKey, textInOneForm, toldEntries } from '../items/one-form.ts';
import { firstRequest } from '../items/provider-list.ts';
import type { ItemRecord } from '../items/record.ts';
import { isReadable } from '../items/unreadable.ts';

type Archived = Extract<ItemRecord, { state: 'archived' }>;

/** What of a manifest is not archived, compared with what is. */
export type Difference = {
  /** Items without a record. */
  toMake: number;
  /** Records of the batch. */
  recorded: number;
  /** Items whose name and variant have an image of another request. `changes`: what differs, the most frequent first. */
  changed: { count: number; changes: Counted[] };
  /** Items whose request is equal to that of an image of another name: `hero → lighthouse`. */
  renamed: { count: number; names: Counted[] };
  /** Only so many items were compared, since reading more records would take long. */
  compared: number;
};
type Counted = { what: string; count: number };

export type DifferencePorts = {
  records: Records;
  /** A part of the manifest: what else is archived may belong to the rest of it. */
  isPart: boolean;
  states?: (batch: string, ids: readonly string[]) => Promise<readonly (ItemState | undefined)[]>;
};

const MOST_COMPARED = 2_000;
const MOST_READ = 4_000;
const MOST_LISTED = 5;

/** Reads the archive's listing, and records that no item of the manifest has. Throws the archive's errors. */
export async function differenceOf(
  batch: string,
  items: AsyncIterable<NewItem>,
  { records, isPart, states }: DifferencePorts,
): Promise<Difference> {
  const recorded = await recordedIds(records.list(batch));
  const left = new Set(recorded.ids);
  const wanted: NewItem[] = [];
  let toMake = 0;
  if (recorded.ids.size > 0) {
    for await (const item of settled(batch, items, recorded, states)) {
      if (left.delete(item.id) || recorded.has(item.id) || item.adopts !== undefined) continue;
      toMake++;
      if (wanted.length < MOST_COMPARED) wanted.push(item);
    }
  }
  const slugs = new Set(wanted.map(({ name }) => slug(name)));
  const alike = [...left].filter((id) => slugs.has(slugOfId(id)));
  const others = isPart ? [] : [...left].filter((id) => !slugs.has(slugOfId(id)));
  const candidates = wanted.length === 0 ? [] : [...alike, ...others].slice(0, MOST_READ);
  const found: Archived[] = [];
  for await (const one of readRecords(records, batch, candidates)) {
    if (isReadable(one) && one.state === 'archived') found.push(one);
  }
  return { toMake, recorded: recorded.ids.size, ...compare(wanted, found), compared: wanted.length };
}

function compare(wanted: readonly NewItem[], found: readonly Archived[]): Pick<Difference, 'changed' | 'renamed'> {
  const byName = new Map<string, Archived>();
  const byRequest = new Map<string, Archived>();
  for (const record of found) {
    const before = byName.get(nameKey(record));
    if (!before || before.timings.queued < record.timings.queued) byName.set(nameKey(record), record);
    byRequest.set(requestKey(record), record);
  }
  const [changes, names] = [counter(), counter()];
  for (const item of wanted) {
    const [former, equal] = [byName.get(nameKey(item)), byRequest.get(requestKey(item))];
    if (former) changes.add(describeChange(firstRequest(former), firstRequest(item)));
    else if (equal) names.add(`${equal.name} → ${item.name}`);
  }
  return {
    changed: { count: changes.sum(), changes: changes.most() },
    renamed: { count: names.sum(), names: names.most() },
  };
}

const nameKey = ({ name, variant }: Pick<NewItem, 'name' | 'variant'>) => `${variant} ${textInOneForm(name)}`;

/** `enableTranslation – → false, prompt`: texts are too long to be shown. */
function describeChange(from: ImageRequest, to: ImageRequest): string {
  const [was, is] = [new Map(toldEntries(from)), new Map(toldEntries(to))];
  const names = [...new Set([...was.keys(), ...is.keys()])].filter((name) => was.get(name) !== is.get(name));
  const value = (told: unknown) => (told === undefined ? '–' : String(told));
  return names
    .map((name) => (TEXTS.has(name) ? name : `${name} ${value(was.get(name))} → ${value(is.get(name))}`))
    .join(', ');
}
const TEXTS = new Set(['prompt', 'watermark', 'inputImage']);

function counter() {
  const counts = new Map<string, number>();
  return {
    add: (what: string) => void counts.set(what, (counts.get(what) ?? 0) + 1),
    sum: () => [...counts.values()].reduce((all, count) => all + count, 0),
    most: (): Counted[] =>
      [...counts]
        .sort(([, a], [, b]) => b - a)
        .slice(0, MOST_LISTED)
        .map(([what, count]) => ({ what, count })),
  };
}
