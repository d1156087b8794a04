import { formerIds } from '../items/former-ids.ts';
import { idSet } from '../items/id-set.ts';
import type { ImageRequest, NewItem } from '../items/item.ts';
import { formerItemId, itemId, slug, slugOfId } from '../items/item-id.ts';
import type { ItemState } from '../items/item-state.ts';
import { firstTakeIds } from '../items/takes.ts';
import { chunksOf } from './chunks-of.ts';

/** The ids that a batch has records of, and the slugs that they begin with. */
export type RecordedIds = { has(id: string): boolean; hasSlug(slug: string): boolean };

type Written = { written?: { name: string; request: ImageRequest }; was?: string };
/** `adopts`: the items under whose ids an image of its may be archived by its former name (`was`), the last take first. */
export type Settled<T> = T & { adopts?: readonly string[] };
type States = (batch: string, ids: readonly string[]) => Promise<readonly (ItemState | undefined)[]>;

const CHUNK = 1_000;

/** An archive's listing as a set. */
export async function recordedIds(
  list: AsyncIterable<string>,
): Promise<RecordedIds & { readonly ids: ReadonlySet<string> }> {
  const ids = new Set<string>();
  // Of a million names as text they would take as much as the ids.
  const slugs = idSet();
  for await (const id of list) {
    ids.add(id);
    slugs.add(slugOfId(id));
  }
  return { ids, has: (id) => ids.has(id), hasSlug: slugs.has };
}

/**
 * The items under the ids that they have in their batch. An item that the batch knows by its id of version 1, by record or in
 * Redis, keeps that: what it has cost is found there. No two items get one id. Without `states` Redis is not asked.
 */
export async function* settled<T extends NewItem & Written>(
  batch: string,
  items: AsyncIterable<T>,
  recorded: RecordedIds,
  states: States | undefined,
): AsyncGenerator<Settled<T>> {
  const taken = new Set<string>();
  for await (const some of chunksOf(items, CHUNK)) {
    const kept = some.map((item) => {
      if (recorded.has(item.id)) return item;
      const former = formerRecord(item, recorded, taken);
      if (former !== undefined) taken.add(former);
      return former === undefined ? undefined : { ...item, id: former };
    });
    const left = some.filter((_, index) => kept[index] === undefined);
    const known = states ? await knownToRedis(batch, left, states, taken) : new Map<string, string>();
    for (const [index, item] of some.entries()) {
      const adopts = kept[index] || known.has(item.id) ? undefined : underFormerName(item, recorded);
      yield kept[index] ?? { ...item, id: known.get(item.id) ?? item.id, ...(adopts === undefined ? {} : { adopts }) };
    }
  }
}

function formerRecord(item: NewItem & Written, recorded: RecordedIds, taken: ReadonlySet<string>): string | undefined {
  if (!recorded.hasSlug(slug(item.name))) return undefined;
  for (const id of formerIds(item)) if (recorded.has(id) && !taken.has(id)) return id;
  return undefined;
}

/** The last take need not have an image (yet): then an earlier one is its picture. */
function underFormerName(item: NewItem & Written, recorded: RecordedIds): readonly string[] | undefined {
  const { was, request, variant } = item;
  if (was === undefined || !recorded.hasSlug(slug(was))) return undefined;
  const takes: string[] = [];
  for (const id of firstTakeIds({ name: was, request, variant }))
    if (recorded.has(id) && takes.length === 0) takes.push(id);
  if (takes.length === 0) return undefined;
  for (let take = 2; ; take++) {
    const id = itemId(was, request, variant, take);
    if (!recorded.has(id)) return takes;
    takes.unshift(id);
  }
}

/** Items that a version of before has enqueued, and that have no record yet: their new ids, to those that they have. */
async function knownToRedis<T extends NewItem & Written>(
  batch: string,
  items: readonly T[],
  states: States,
  taken: Set<string>,
): Promise<ReadonlyMap<string, string>> {
  const known = new Map<string, string>();
  if (items.length === 0) return known;
  const formers = items.map(({ name, request, variant, written }) =>
    formerItemId(name, written?.request ?? request, variant),
  );
  const found = await states(batch, [...formers, ...items.map(({ id }) => id)]);
  for (const [index, { id }] of items.entries()) {
    const former = formers[index];
    const isNew = found[items.length + index] !== undefined;
    if (former === undefined || isNew || found[index] === undefined || taken.has(former)) continue;
    taken.add(former);
    known.set(id, former);
  }
  return known;
}
