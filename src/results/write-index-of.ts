import type { Archive } from '../archive/archive.ts';
import { layout } from '../archive/layout.ts';
import type { Records } from '../archive/records.ts';
import { recordsOfBatch } from './records-of-batch.ts';
import { writeIndexFiles } from './write-index.ts';

export type FinishPorts = { archive: Archive; records: Records };

/** Writes the index of a batch from its records into the archive, beside them. May run any number of times. */
export function writeIndex(batch: string, { archive, records }: FinishPorts): Promise<void> {
  return writeIndexFiles(batch, recordsOfBatch(records, batch), { archive, folder: layout.folder(batch) });
}
