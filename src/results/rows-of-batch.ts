import type { Records } from '../archive/records.ts';
import { type Row, rowOf } from './row.ts';

/** Reads this many records ahead: enough to hide S3's latency, few enough to hold. */
const READ_AHEAD = 32;

/** A row for each record of a batch, in the order of ids. Read from the archive alone. */
export async function* rowsOfBatch(records: Records, batch: string): AsyncGenerator<Row> {
  const ahead: Promise<Row | undefined>[] = [];
  const start = (id: string) => {
    const row = records.read(batch, id).then((record) => record && rowOf(record));
    // An error is met where the row is awaited, below; until then it must not count as unhandled.
    row.catch(() => {});
    ahead.push(row);
  };
  for await (const id of records.list(batch)) {
    start(id);
    if (ahead.length < READ_AHEAD) continue;
    const row = await ahead.shift();
    if (row) yield row;
  }
  for (const pending of ahead) {
    const row = await pending;
    if (row) yield row;
  }
}
