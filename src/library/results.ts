import type { Archive } from '../archive/archive.ts';
import { recordsIn } from '../archive/records.ts';
import { isReadable } from '../items/unreadable.ts';
import type { Prices } from '../money/prices.ts';
import { archivedBatch } from '../results/archived-batch.ts';
import { rowOf } from '../results/row.ts';
import { listedItems } from '../results/standings.ts';
import { parseWhere } from '../results/where.ts';
import type { ResultRow } from './flux-batch.ts';

/** See `FluxBatch.results`. */
export async function* results(
  archive: Archive,
  batch: string,
  { where, prices, signal }: { where: readonly string[]; prices: Prices; signal: AbortSignal },
): AsyncGenerator<ResultRow, void, undefined> {
  const conditions = parseWhere(where);
  await archivedBatch(archive, batch);
  const ports = { archive, records: recordsIn(archive), prices };
  for await (const found of listedItems(batch, ports, 'id', signal)) {
    if (conditions.matches(found)) yield { ...rowOf(found), variables: isReadable(found) ? found.variables : {} };
  }
  conditions.complain();
}
