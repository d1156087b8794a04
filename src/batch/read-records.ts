import pLimit from 'p-limit';
import type { Records } from '../archive/records.ts';
import type { ItemRecord } from '../items/record.ts';

const READS_AT_ONCE = 32;

/** The records of these items, in chunks; an item without one is left out. */
export async function* readRecords(
  records: Records,
  ids: AsyncIterable<string>,
  batch: string,
  chunk: number,
): AsyncGenerator<ItemRecord[]> {
  const limit = pLimit(READS_AT_ONCE);
  const readAll = async (some: readonly string[]) => {
    const found = await Promise.all(some.map((id) => limit(() => records.read(batch, id))));
    return found.filter((record) => record !== undefined);
  };
  let pending: string[] = [];
  for await (const id of ids) {
    pending.push(id);
    if (pending.length < chunk) continue;
    yield await readAll(pending);
    pending = [];
  }
  if (pending.length > 0) yield await readAll(pending);
}
