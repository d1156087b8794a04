import type { BatchCounts } from '../batch/counts.ts';
import type { Rate } from '../text/duration.ts';

/** The least time, in milliseconds, that the rate limit allows for the items that are not submitted yet. */
export function submitTimeLeftMs({ items }: BatchCounts, { max, windowMs }: Rate): number {
  return ((items.queued + items.submitting) / max) * windowMs;
}
