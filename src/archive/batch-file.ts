import { z } from 'zod';
import { messageOf } from '../errors.ts';
import type { Archive } from './archive.ts';
import { layout } from './layout.ts';

/** `batch.json` describes a batch, for people and for tools that have only the archive. */
export const batchFileSchema = z.object({
  version: z.literal(1),
  batch: z.string(),
  /** sha256 of the manifest file that was enqueued last. */
  manifestDigest: z.string(),
  created: z.iso.datetime(),
  settings: z.object({
    apiUrl: z.string(),
    rateLimit: z.string(),
    onUnknown: z.string(),
    /** The budget, in credits. */
    budgetCredits: z.number().exactOptional(),
  }),
  /** Items by state, when the batch last ended. */
  totals: z.record(z.string(), z.number()).exactOptional(),
  finished: z.iso.datetime().exactOptional(),
});
export type BatchFile = z.infer<typeof batchFileSchema>;

/** What an archive has in the place of a batch's file. `message` names the file. */
export type FoundBatchFile =
  | { kind: 'file'; file: BatchFile }
  | { kind: 'unreadable'; message: string }
  | { kind: 'missing' };

export async function findBatchFile(archive: Archive, batch: string): Promise<FoundBatchFile> {
  const key = layout.batch(batch);
  const body = await archive.read(key);
  if (!body) return { kind: 'missing' };
  try {
    return { kind: 'file', file: batchFileSchema.parse(JSON.parse(body.toString('utf8'))) };
  } catch (thrown) {
    return { kind: 'unreadable', message: `${key} in ${archive.url} cannot be read: ${messageOf(thrown)}` };
  }
}

/** The file is for people: one that cannot be read is taken for missing, and written anew. */
export async function readBatchFile(archive: Archive, batch: string): Promise<BatchFile | undefined> {
  const found = await findBatchFile(archive, batch);
  return found.kind === 'file' ? found.file : undefined;
}

export async function writeBatchFile(archive: Archive, file: BatchFile): Promise<void> {
  const body = Buffer.from(`${JSON.stringify(file, null, 2)}\n`);
  await archive.write(layout.batch(file.batch), body, { contentType: 'application/json' });
}
