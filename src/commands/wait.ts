import type { Wait } from '../diagnosis/out-of-reach.ts';
import { formatDuration } from '../text/duration.ts';

export type WaitFlags = { waitAtMost?: number };

/** Why a run ends that was not to wait any longer. */
export function describeGivingUp({ finding, forMs }: Wait): string {
  return `stopped: waited for ${formatDuration(forMs)} (--wait-at-most): ${finding.what}: ${finding.remedy}`;
}
