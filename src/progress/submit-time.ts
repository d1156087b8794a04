import type { BatchCounts } from '../batch/counts.ts';
import type { Rate } from '../text/duration.ts';

/** How long the rate limit alone makes the submits still to come take, in milliseconds. No estimate may be shorter. */
export function submitTimeLeftMs({ items }: BatchCounts, { max, windowMs }: Rate): number {
  return ((items.queued + items.submitting) / max) * windowMs;
}
