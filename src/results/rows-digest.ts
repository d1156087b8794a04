import { hash } from 'node:crypto';
import type { Archive } from '../archive/archive.ts';
import { indexFiles, layout } from '../archive/layout.ts';
import { jsonLine } from './format.ts';
import { digestIn } from './gallery/page-html.ts';
import { rowOf } from './row.ts';
import type { Listed } from './standings.ts';

/** A digest over the lines of results.jsonl, whatever their order. Two indexes with the same digest have the same rows. */
export function rowsDigest() {
  let sum = 0n;
  return {
    add(line: string): void {
      sum = BigInt.asUintN(256, sum + BigInt(`0x${hash('sha256', line, 'hex')}`));
    },
    hex: () => sum.toString(16).padStart(64, '0'),
  };
}
export type RowsDigest = ReturnType<typeof rowsDigest>;

/** Passes records through, and adds their rows to the digest. */
export async function* digested(records: AsyncIterable<Listed>, digest: RowsDigest): AsyncGenerator<Listed> {
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
