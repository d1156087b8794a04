import { type Wait, whom } from '../progress/waits.ts';
import { formatDuration } from '../text/duration.ts';
import { plain } from '../text/terminal.ts';

export type WaitFlags = { waitAtMost?: number };

/** Why a run ends that was not to wait any longer. */
export function describeGivingUp(wait: Wait): string {
  return `stopped: waited for ${whom(wait)} for ${formatDuration(wait.forMs)} (--wait-at-most): ${plain(wait.message)}`;
}
