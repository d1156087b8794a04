import type { Archive } from '../archive/archive.ts';
import { type BatchFile, readBatchFile } from '../archive/batch-file.ts';
import { UsageError } from '../errors.ts';

/** Reads the `batch.json` of a batch. Throws a UsageError (`batch-unknown`) when the archive has no such batch. */
export async function archivedBatch(archive: Archive, batch: string): Promise<BatchFile> {
  const file = await readBatchFile(archive, batch);
  if (file) return file;
  throw new UsageError('batch-unknown', `No batch named ${batch} is in ${archive.url}`, {
    hint: 'Is the archive right (--archive, ARCHIVE_URL)?',
  });
}
