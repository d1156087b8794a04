import type { Archive } from '../archive/archive.ts';
import { recordsOfBatch } from '../archive/read-records.ts';
import { recordsIn } from '../archive/records.ts';
import { isReadable } from '../items/unreadable.ts';
import { archivedBatch } from '../results/archived-batch.ts';
import { rowOf } from '../results/row.ts';
import { parseWhere } from '../results/where.ts';
import type { ResultRow } from './flux-batch.ts';

/** See `FluxBatch.results`. */
export async function* results(
  archive: Archive,
  batch: string,
  { where, signal }: { where: readonly string[]; signal: AbortSignal },
): AsyncGenerator<ResultRow, void, undefined> {
  const conditions = parseWhere(where);
  await archivedBatch(archive, batch);
  for await (const found of recordsOfBatch(recordsIn(archive), batch, signal)) {
    if (conditions.matches(found)) yield { ...rowOf(found), variables: isReadable(found) ? found.variables : {} };
  }
  conditions.complain();
}
