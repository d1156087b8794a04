import type { Archive } from '../archive/archive.ts';
import { layout } from '../archive/layout.ts';
import type { Records } from '../archive/records.ts';
import { formatRows } from '../results/format.ts';
import { rowsOfBatch } from '../results/rows-of-batch.ts';

export type FinishPorts = { archive: Archive; records: Records };

/** Writes a batch's index from its records: results.jsonl and results.csv. May run any number of times. */
export async function writeIndex(batch: string, ports: FinishPorts): Promise<void> {
  const targets = [
    { format: 'jsonl', key: layout.resultsJsonl(batch), contentType: 'application/x-ndjson' },
    { format: 'csv', key: layout.resultsCsv(batch), contentType: 'text/csv; charset=utf-8' },
  ] as const;
  for (const { format, key, contentType } of targets) {
    const pieces: string[] = [];
    for await (const piece of formatRows(rowsOfBatch(ports.records, batch), format)) pieces.push(piece);
    await ports.archive.write(key, Buffer.from(pieces.join('')), { contentType });
  }
}
