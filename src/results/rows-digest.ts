import { createHash } from 'node:crypto';
import type { Archive } from '../archive/archive.ts';
import { indexFiles, layout } from '../archive/layout.ts';
import type { Found } from '../items/unreadable.ts';
import { jsonLine } from './format.ts';
import { digestIn } from './gallery/page-html.ts';
import { rowOf } from './row.ts';

/** A digest over the lines of results.jsonl. Two indexes with the same digest have the same rows. */
export function rowsDigest() {
  const hash = createHash('sha256');
  return {
    add: (line: string): void => void hash.update(line),
    hex: () => hash.copy().digest('hex'),
  };
}
export type RowsDigest = ReturnType<typeof rowsDigest>;

/** Passes records through, and adds their rows to the digest. */
export async function* digested(records: AsyncIterable<Found>, digest: RowsDigest): AsyncGenerator<Found> {
  for await (const record of records) {
    digest.add(jsonLine(rowOf(record)));
    yield record;
  }
}

/**
 * The digest of the stored index. It is in the page, which is the last file of an index to be written. Undefined
 * without an index.
 */
export async function storedDigest(batch: string, archive: Archive): Promise<string | undefined> {
  const page = await archive.read(layout.folder(batch) + indexFiles.page);
  return page && digestIn(page.toString('utf8'));
}
