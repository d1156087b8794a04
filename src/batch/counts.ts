import { type BatchCounts, hasEnded } from '../fleet/batch-state.ts';
import type { Gate } from '../fleet/probe-breaker.ts';
import { isOutOfBudget } from '../money/budget.ts';

/** Submitting is stopped for good as far as a process can tell that only looks. */
const STOPS_FOR_GOOD = ['unauthorized', 'out-of-credits', 'not-found'];

/**
 * How a batch stands for one who waits for it. `ended`: every item has, and the index is written. `out-of-budget` and `stopped`
 * wait for a person; what was submitted has ended.
 */
export type Outlook = 'enqueuing' | 'running' | 'paused' | 'ended' | 'out-of-budget' | 'stopped';

export function outlookOf(counts: BatchCounts, gate: Gate | undefined, allPausedAt: number | undefined): Outlook {
  if (isFinished(counts)) return 'ended';
  if (!counts.sealed) return 'enqueuing';
  if (isStuck(counts, gate)) return 'stopped';
  if (isOutOfBudget(counts)) return 'out-of-budget';
  return counts.pausedAt === undefined && allPausedAt === undefined ? 'running' : 'paused';
}

export function isFinished(counts: BatchCounts): boolean {
  return hasEnded(counts) && counts.finishedVersion === counts.version;
}

/** Nothing runs any more that is worth waiting for. */
export function isStuck({ items }: BatchCounts, gate: Gate | undefined): boolean {
  return gate !== undefined && STOPS_FOR_GOOD.includes(gate.refusal) && items.submitted + items.finished === 0;
}
