import type { Archive } from '../archive/archive.ts';
import { type BatchFile, findBatchFile } from '../archive/batch-file.ts';
import { layout } from '../archive/layout.ts';
import { UsageError } from '../errors.ts';

/** `file` is not there where it is missing or cannot be read: the records are enough. `trouble` says which of the two, naming it. */
export type ArchivedBatch = { file: BatchFile } | { file: undefined; trouble: string };

/** Throws a UsageError (`batch-unknown`) when the archive has no such batch. */
export async function archivedBatch(archive: Archive, batch: string): Promise<ArchivedBatch> {
  const found = await findBatchFile(archive, batch);
  if (found.kind === 'file') return { file: found.file };
  if (found.kind === 'unreadable') return { file: undefined, trouble: found.message };
  for await (const _ of archive.list(layout.records(batch))) {
    return { file: undefined, trouble: `${layout.batch(batch)} in ${archive.url} is missing` };
  }
  throw new UsageError('batch-unknown', `No batch named ${batch} is in ${archive.url}`, {
    hint: 'Is the archive right (--archive, ARCHIVE_URL)?',
  });
}
