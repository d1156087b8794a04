import type { NewItem } from '../items/item.ts';
import { expand, openManifest } from '../manifest/manifest.ts';

/** A manifest that was checked completely, to the last row. Its items are generated one by one as they are read. */
export type LoadedManifest = {
  /** The path, as the caller gave it. */
  readonly file: string;
  /** The name of the batch: the first part of every key in the archive. */
  readonly batch: string;
  /** sha256 of the file, in hex. */
  readonly digest: string;
  /** How many items there are, in all and by model. */
  readonly totals: {
    /** All of them. */
    readonly items: number;
    /** By the name of the model that makes them. */
    readonly byModel: Readonly<Record<string, number>>;
  };
  /** Generates the items in the order of the file. Throws a `ManifestError` if a file has changed since it was checked. */
  items(options?: { signal?: AbortSignal }): AsyncIterable<NewItem>;
};

/**
 * Reads and checks a manifest and the files it refers to. Throws a `ManifestError` that lists all mistakes, each with line
 * and column. The files that it names are below its folder, unless `allowOutside` permits others. `modelsFile`: the path
 * of a file of models of your own, as FLUX_MODELS names one to the commands.
 */
export async function loadManifest(
  file: string,
  options: { signal?: AbortSignal; allowOutside?: boolean; modelsFile?: string } = {},
): Promise<LoadedManifest> {
  const { manifest, totals } = await openManifest(file, options);
  return {
    file: manifest.file,
    batch: manifest.batch,
    digest: manifest.digest,
    totals: { items: totals.items, byModel: totals.byModel },
    items: (reading = {}) => expand(manifest, reading),
  };
}
