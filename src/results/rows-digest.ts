import { createHash } from 'node:crypto';
import type { Archive } from '../archive/archive.ts';
import { indexFiles, layout } from '../archive/layout.ts';
import type { Found } from '../items/unreadable.ts';
import { jsonLine } from './format.ts';
import { digestIn } from './gallery/page-html.ts';
import { rowOf } from './row.ts';

/** Of the lines of a results.jsonl: two indexes are of the same rows when theirs is the same. */
export function rowsDigest() {
  const hash = createHash('sha256');
  return {
    add: (line: string): void => void hash.update(line),
    hex: () => hash.copy().digest('hex'),
  };
}
export type RowsDigest = ReturnType<typeof rowsDigest>;

/** Passes records on, their rows added. */
export async function* digested(records: AsyncIterable<Found>, digest: RowsDigest): AsyncGenerator<Found> {
  for await (const record of records) {
    digest.add(jsonLine(rowOf(record)));
    yield record;
  }
}

/** The digest that the stored index was written from: its page, the last of its files, bears it. Undefined without an index. */
export async function storedDigest(batch: string, archive: Archive): Promise<string | undefined> {
  const page = await archive.read(layout.folder(batch) + indexFiles.page);
  return page && digestIn(page.toString('utf8'));
}
