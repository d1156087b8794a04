import type { Archive } from '../archive/archive.ts';
import type { ManifestFiles } from '../archive/batch-file.ts';
import { type ItemPlace, type ListedItem, readItemsFile } from '../archive/items-file.ts';

/** The items of the manifest as it was enqueued last, in its order. */
export type ManifestOrder = {
  /** By id, in order; `order` counts from 1. */
  places: ReadonlyMap<string, ItemPlace & { order: number }>;
  /** All of it was enqueued: what is not in it was taken out. */
  isWhole: boolean;
  /** Whether it is known to have the name with this variant. Asked only where it is not whole. */
  hasName(name: string, variant: number): boolean;
};

const UNKNOWN: ManifestOrder = { places: new Map(), isWhole: false, hasName: () => false };

/**
 * Puts the files of a batch together: in those of parts of the manifest, which came after it, are other items of the same
 * names. Nothing is known of a batch that has no files, or whose files cannot be read.
 */
export async function manifestOrder(
  archive: Archive,
  batch: string,
  manifest: ManifestFiles | undefined,
): Promise<ManifestOrder> {
  if (!manifest) return UNKNOWN;
  try {
    const [only, ...parts] = manifest.items;
    if (only !== undefined && parts.length === 0 && manifest.isWhole) return await orderOfFile(archive, batch, only);
    return await orderOfParts(archive, batch, manifest);
  } catch {
    return UNKNOWN;
  }
}

async function orderOfFile(archive: Archive, batch: string, file: string): Promise<ManifestOrder> {
  const places = new Map<string, ItemPlace & { order: number }>();
  const shared = interned();
  for await (const item of readItemsFile(archive, batch, file)) {
    places.set(item.id, { ...shared(item), order: places.size + 1 });
  }
  return { places, isWhole: true, hasName: () => false };
}

async function orderOfParts(archive: Archive, batch: string, manifest: ManifestFiles): Promise<ManifestOrder> {
  const shared = interned();
  const named = new Map<string, Map<string, ItemPlace>>();
  for (const file of manifest.items) {
    const later = new Map<string, Map<string, ItemPlace>>();
    for await (const item of readItemsFile(archive, batch, file)) {
      const key = nameKey(item.name, item.variant);
      const ofName = later.get(key) ?? new Map<string, ItemPlace>();
      later.set(key, ofName.set(item.id, shared(item)));
    }
    for (const [key, items] of later) {
      const known = named.get(key);
      // A limit may have left some of a name out; another item of the name replaces them all.
      if (!known || [...items.keys()].some((id) => !known.has(id))) named.set(key, items);
    }
  }
  const places = new Map<string, ItemPlace & { order: number }>();
  for (const items of named.values()) {
    for (const [id, place] of items) places.set(id, { ...place, order: places.size + 1 });
  }
  const { isWhole } = manifest;
  return { places, isWhole, hasName: (name, variant) => named.has(nameKey(name, variant)) };
}

const nameKey = (name: string, variant: number) => `${variant} ${name}`;

/** Jobs and files are few: each text is held once. */
function interned(): (item: ListedItem) => ItemPlace {
  const texts = new Map<string, string>();
  const held = (text: string) => {
    const known = texts.get(text);
    if (known === undefined) texts.set(text, text);
    return known ?? text;
  };
  return ({ job, file, line }) => ({ job: held(job), file: held(file), ...(line === undefined ? {} : { line }) });
}
