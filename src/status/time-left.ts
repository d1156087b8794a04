import { type BatchCounts, hasEnded } from '../batch/counts.ts';
import { doneOf } from '../progress/view.ts';
import type { Snapshot } from './snapshot.ts';

/** A pace from less than this says little. */
const LEAST_DONE = 5;
const LEAST_TIME_MS = 3_000;

/**
 * How long a batch will take, milliseconds; null when it has ended or does not go on. By its pace since the earlier snapshot, and no sooner
 * than the rate limit lets its items through; at first by the limit alone.
 */
export function leftMs(counts: BatchCounts, now: Snapshot, earlier: Snapshot | undefined): number | null {
  if (hasEnded(counts) || counts.pausedAt !== undefined || now.pausedAt !== null || now.gate !== null) return null;
  const { limit, windowMs } = now.rates.submit;
  const byLimit = ((counts.items.queued + counts.items.submitting) / limit) * windowMs;
  const before = earlier?.batches.find(({ batch }) => batch === counts.batch);
  const elapsed = earlier ? now.at - earlier.at : 0;
  const done = before ? doneOf(counts) - doneOf(before) : 0;
  if (done < LEAST_DONE || elapsed < LEAST_TIME_MS) return Math.round(byLimit);
  return Math.round(Math.max(byLimit, ((counts.total - doneOf(counts)) * elapsed) / done));
}
