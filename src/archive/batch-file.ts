import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { FluxError } from '../errors.ts';
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
  return body && parseBatchFile(body);
}

/** Far more than processes compete for one file. */
const MOST_TRIES = 30;
const LONGEST_WAIT_MS = 50;

/**
 * Changes the file without overwriting anybody else's change. `change` gets the present file, and returns undefined to leave it.
 * It is called again when another process was faster. Throws the archive's errors.
 */
export async function updateBatchFile(
  archive: Archive,
  batch: string,
  change: (now: BatchFile | undefined) => BatchFile | undefined,
): Promise<void> {
  const key = layout.batch(batch);
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    const found = await archive.readVersioned(key);
    const file = change(found && parseBatchFile(found.body));
    if (!file) return;
    const body = Buffer.from(`${JSON.stringify(file, null, 2)}\n`);
    const options = { contentType: 'application/json' };
    const written = found
      ? await archive.replace(key, body, { ...options, was: found.version })
      : await archive.create(key, body, options);
    if (written !== undefined) return;
    await sleep(Math.random() * LONGEST_WAIT_MS);
  }
  throw new FluxError('archive-unreachable', `${key} in ${archive.url} changes all the time`);
}

/** People may edit this file. One that cannot be parsed counts as missing, and enqueueing writes it again. */
function parseBatchFile(body: Buffer): BatchFile | undefined {
  try {
    return batchFileSchema.parse(JSON.parse(body.toString('utf8')));
  } catch {
    return undefined;
  }
}
