import type { NewItem } from '../items/item.ts';
import { expand, openManifest } from '../manifest/manifest.ts';

/** A manifest in which everything is right, down to the last row. Items are made as they are asked for. */
export type LoadedManifest = {
  /** As it was given. */
  readonly file: string;
  readonly batch: string;
  /** sha256 of the file, in hex. */
  readonly digest: string;
  /** How many items, and of which model. */
  readonly totals: { readonly items: number; readonly byModel: Readonly<Record<string, number>> };
  items(options?: { signal?: AbortSignal }): AsyncIterable<NewItem>;
};

/** Reads a manifest and the files it names. Throws a `ManifestError` that tells all mistakes, each with its line and column. */
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
