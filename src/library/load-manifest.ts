import type { NewItem } from '../items/item.ts';
import { expand, openManifest } from '../manifest/manifest.ts';

/** A manifest that was checked completely, to the last row. Its items are generated one by one as they are read. */
export type LoadedManifest = {
  /** The path, as the caller gave it. */
  readonly file: string;
  readonly batch: string;
  /** sha256 of the file, in hex. */
  readonly digest: string;
  /** How many items there are, in all and by model. */
  readonly totals: { readonly items: number; readonly byModel: Readonly<Record<string, number>> };
  items(options?: { signal?: AbortSignal }): AsyncIterable<NewItem>;
};

/**
 * Reads and checks a manifest and the files it refers to. Throws a `ManifestError` that lists all mistakes, each with line
 * and column.
 */
export async function loadManifest(file: string, options: { signal?: AbortSignal } = {}): Promise<LoadedManifest> {
  const { manifest, totals } = await openManifest(file, options);
  return {
    file: manifest.file,
    batch: manifest.batch,
    digest: manifest.digest,
    totals: { items: totals.items, byModel: totals.byModel },
    items: (reading = {}) => expand(manifest, reading),
  };
}
