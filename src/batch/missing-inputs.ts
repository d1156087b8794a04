import type { Archive } from '../archive/archive.ts';
import { layout } from '../archive/layout.ts';
import { inputReferencesOf } from '../items/input-reference.ts';
import type { ImageRequest } from '../items/item.ts';

/** What stores them again. */
export const STORES_INPUTS = 'Enqueue the manifest again, which stores it: flux-batch enqueue <manifest>';

/** Of these pictures, by their references, those that the archive has not (any more): without them nothing can be submitted. */
export async function missingInputs(
  archive: Pick<Archive, 'list'>,
  batch: string,
  references: readonly string[],
): Promise<ReadonlySet<string>> {
  const missing = new Set(references);
  if (missing.size === 0) return missing;
  const start = layout.input(batch, '').length;
  for await (const key of archive.list(layout.inputs(batch))) missing.delete(key.slice(start));
  return missing;
}

export function describeMissing(reference: string): string {
  return `its picture ${reference} is not in the archive any more`;
}

export function inputsOfRequest(request: ImageRequest): string[] {
  return inputReferencesOf(request).map(({ reference }) => reference);
}
