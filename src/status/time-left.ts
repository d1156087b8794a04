import { type BatchCounts, doneOf, hasEnded } from '../batch/counts.ts';
import { submitTimeLeftMs } from '../progress/submit-time.ts';
import type { Snapshot } from './snapshot.ts';

/** A pace measured from fewer items, or over less time, is not reliable. */
const LEAST_DONE = 5;
const LEAST_TIME_MS = 3_000;

/**
 * How long a batch will still take, in milliseconds. Null if it has ended or cannot make progress. Computed from the pace
 * since the earlier snapshot, but never less than the rate limit implies. Without a reliable pace, the rate limit alone
 * decides.
 */
export function leftMs(counts: BatchCounts, now: Snapshot, earlier: Snapshot | undefined): number | null {
  if (hasEnded(counts) || counts.pausedAt !== undefined || now.pausedAt !== null || now.breaker !== null) return null;
  const { limit, windowMs } = now.rates.submit;
  const byLimitMs = submitTimeLeftMs(counts, { max: limit, windowMs });
  const before = earlier?.batches.find(({ batch }) => batch === counts.batch);
  const elapsed = earlier ? now.at - earlier.at : 0;
  const done = before ? doneOf(counts) - doneOf(before) : 0;
  if (done < LEAST_DONE || elapsed < LEAST_TIME_MS) return Math.round(byLimitMs);
  return Math.round(Math.max(byLimitMs, ((counts.total - doneOf(counts)) * elapsed) / done));
}
