import { z } from 'zod';
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

export async function readBatchFile(archive: Archive, batch: string): Promise<BatchFile | undefined> {
  const body = await archive.read(layout.batch(batch));
  if (!body) return undefined;
  // People may edit this file. One that cannot be parsed counts as missing, and enqueueing writes it again.
  try {
    return batchFileSchema.parse(JSON.parse(body.toString('utf8')));
  } catch {
    return undefined;
  }
}

export async function writeBatchFile(archive: Archive, file: BatchFile): Promise<void> {
  const body = Buffer.from(`${JSON.stringify(file, null, 2)}\n`);
  await archive.write(layout.batch(file.batch), body, { contentType: 'application/json' });
}
