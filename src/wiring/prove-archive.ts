import { setTimeout as sleep } from 'node:timers/promises';
import type { Archive } from '../archive/archive.ts';
import { FluxError, UsageError } from '../errors.ts';

export type Patience = {
  /** Wait for a lost Redis, as workers do, and at the start for an archive that answers "later". */
  patient: boolean;
  /** And no longer than this; without it as long as it takes. */
  waitAtMostMs?: number | undefined;
  /** Told what is waited for, once. */
  onWait?: ((why: string) => void) | undefined;
};

const AGAIN_MS = 5_000;

/** Proves that images can be stored. Nothing was done yet, so an archive that refuses us is a mistake in the configuration. */
export async function proveArchive(
  archive: Archive,
  { patient, waitAtMostMs = Infinity, onWait }: Patience,
): Promise<void> {
  const until = performance.now() + waitAtMostMs;
  for (let isFirst = true; ; isFirst = false) {
    try {
      await archive.prepare();
      return;
    } catch (error) {
      if (!patient || !saysLater(error) || performance.now() + AGAIN_MS > until) throw asMistake(error);
      if (isFirst) onWait?.(`waiting for the archive: ${error.message}`);
    }
    await sleep(AGAIN_MS);
  }
}

/** A server that answers is the right one. Where nobody answers, the address may be wrong, which no waiting mends. */
function saysLater(error: unknown): error is FluxError {
  return error instanceof FluxError && error.code === 'archive-unreachable' && typeof error.facts.status === 'number';
}

function asMistake(error: unknown): unknown {
  if (!(error instanceof FluxError) || error.code !== 'archive-denied') return error;
  const { code, message, facts, hint } = error;
  return new UsageError(code, message, { facts, ...(hint === undefined ? {} : { hint }), cause: error });
}
