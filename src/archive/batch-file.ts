import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { FluxError } from '../errors.ts';
import { ACCOUNTS } from '../items/item.ts';
import type { Archive } from './archive.ts';
import { whyUnreadable } from './flaws.ts';
import { FileDeniedError } from './folder-errors.ts';
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
    /** The budget, in credits of the default provider. */
    budgetCredits: z.number().exactOptional(),
    /** The same for single accounts. */
    budgetOfAccounts: z.partialRecord(z.enum(ACCOUNTS), z.number()).exactOptional(),
    /** For people: the budget in words, with what it is worth in USD. */
    budget: z.string().exactOptional(),
  }),
  /**
   * The files that have its items; the last is of what was enqueued last. `isWhole`: the first is of a whole manifest. `former`: those
   * of manifests before it, of which something may wait: they were enqueued since the batch ended last.
   */
  manifest: z
    .object({ items: z.array(z.string()), isWhole: z.boolean(), former: z.array(z.string()).exactOptional() })
    .exactOptional(),
  /** Items by state, when the batch last ended. */
  totals: z.record(z.string(), z.number()).exactOptional(),
  finished: z.iso.datetime().exactOptional(),
});
export type BatchFile = z.infer<typeof batchFileSchema>;
export type ManifestFiles = NonNullable<BatchFile['manifest']>;

/** What an archive has in the place of a batch's file. `message` names the file. */
export type FoundBatchFile =
  | { kind: 'file'; file: BatchFile }
  | { kind: 'unreadable'; message: string }
  | { kind: 'missing' };

export async function findBatchFile(archive: Archive, batch: string): Promise<FoundBatchFile> {
  const key = layout.batch(batch);
  try {
    return parseBatchFile(await archive.read(key), `${key} in ${archive.url}`);
  } catch (thrown) {
    if (thrown instanceof FileDeniedError) return { kind: 'unreadable', message: thrown.message };
    throw thrown;
  }
}

/** The file is for people: one that cannot be read is taken for missing, and written anew. */
export async function readBatchFile(archive: Archive, batch: string): Promise<BatchFile | undefined> {
  const found = await findBatchFile(archive, batch);
  return found.kind === 'file' ? found.file : undefined;
}

/** Far more than processes compete for one file. */
const MOST_TRIES = 30;
const LONGEST_WAIT_MS = 50;

/**
 * Changes the file without overwriting anybody else's change: `change` is called again when another process was faster. Throws the
 * archive's errors, and a `FileDeniedError` where what is in its place can be neither read nor replaced, as a folder.
 */
export async function updateBatchFile(
  archive: Archive,
  batch: string,
  change: (now: FoundBatchFile) => BatchFile,
): Promise<void> {
  const key = layout.batch(batch);
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    const found = await archive.readVersioned(key).catch(unlessDenied);
    if (found instanceof FileDeniedError) {
      const file = change({ kind: 'unreadable', message: found.message });
      return archive.write(key, encode(file), options).catch((thrown: unknown) => {
        throw thrown instanceof FluxError && thrown.code === 'archive-denied' ? found : thrown;
      });
    }
    const body = encode(change(parseBatchFile(found?.body, `${key} in ${archive.url}`)));
    const written = found
      ? await archive.replace(key, body, { ...options, was: found.version })
      : await archive.create(key, body, options);
    if (written !== undefined) return;
    await sleep(Math.random() * LONGEST_WAIT_MS);
  }
  throw new FluxError('archive-unreachable', `${key} in ${archive.url} was changed by others at each try to write it`);
}

const options = { contentType: 'application/json' };
const encode = (file: BatchFile) => Buffer.from(`${JSON.stringify(file, null, 2)}\n`);

function unlessDenied(thrown: unknown): FileDeniedError {
  if (thrown instanceof FileDeniedError) return thrown;
  throw thrown;
}

function parseBatchFile(body: Buffer | undefined, name: string): FoundBatchFile {
  if (!body) return { kind: 'missing' };
  const text = body.toString('utf8');
  try {
    return { kind: 'file', file: batchFileSchema.parse(JSON.parse(text)) };
  } catch (thrown) {
    return { kind: 'unreadable', message: `${name} cannot be read: ${whyUnreadable(thrown, text, 'a batch.json')}` };
  }
}
