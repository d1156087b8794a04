import type { TrippedBreaker } from '../fleet/probe-breaker.ts';
import type { Account } from '../items/item.ts';
import type { ItemState } from '../items/item-state.ts';
import type { BudgetCredits } from '../money/budget.ts';

/** What is known of a batch without looking at any of its items. Times are epoch milliseconds. */
export type BatchCounts = {
  batch: string;
  archive: string;
  /** By whose API it is made; empty where a version without routes has enqueued it. */
  api: string;
  createdAt: number;
  /** The whole manifest has been enqueued. */
  sealed: boolean;
  /** Since when a person has paused it; undefined while it is not paused. */
  pausedAt: number | undefined;
  /** When a person cancelled it; undefined when nobody did, or when it was enqueued again since. */
  cancelledAt: number | undefined;
  /** Grows with every transition. */
  version: number;
  /** The version that the index in the archive was written from; undefined before the first time. */
  finishedVersion: number | undefined;
  /** Records that the index could not read when it was written last. */
  unreadable: number;
  /** Images of archived items that were not in the archive when the index was written last. */
  missing: number;
  items: Record<ItemState, number>;
  total: number;
  /** Of these, items that the manifest does not have any more. */
  former: number;
  /** Of the queued ones, those that have no job yet: the feeder reads them from the archive when their turn comes near. */
  unfed: number;
  /** So many of its waiting items are to have one, of each way where they go several. */
  window: number;
  /** Of a batch whose items go several ways: the version at which nothing more could be fed; -1 before the first look. */
  fullVersion?: number;
  submits: number;
  /** What its tasks cost. */
  credits: number;
  /** What submits may have cost that are under way or have an unknown outcome. */
  unsettled: number;
  /** What it may cost; undefined when that is not limited. */
  budget: number | undefined;
  /** Accounts that have a budget of their own, with what of the sums is theirs. In credits of the default provider. */
  accounts?: Readonly<Partial<Record<Account, { budget: number; credits: number; unsettled: number }>>>;
  /**
   * Queued items that the budget does not allow, and what they would cost. Once all that have a job are such, those that are not fed are
   * among them, each at what the others cost on average.
   */
  overBudget: { items: number; credits: number };
  /** Credits have come free, or the budget is another: some of those items may be allowed now. */
  mayHaveRoom: boolean;
  bytes: number;
  /**
   * Live items that lost their jobs (workers/job-check.ts) or the file that they are to be fed from, and whose manifest has to be enqueued
   * again.
   */
  orphans: number;
};

/**
 * How a batch stands for one who waits for it. `ended`: every item has ended and the index is written. `out-of-budget` and
 * `stopped` wait for a person; what was submitted has ended.
 */
export type Outlook = 'enqueuing' | 'running' | 'paused' | 'ended' | 'out-of-budget' | 'stopped';

const STOPS_FOR_GOOD = ['unauthorized', 'out-of-credits', 'not-found'];

export function outlookOf(
  counts: BatchCounts,
  breaker: TrippedBreaker | undefined,
  allPausedAt: number | undefined,
): Outlook {
  if (isFinished(counts)) return 'ended';
  if (!counts.sealed) return 'enqueuing';
  if (isStuckButForSubmits(counts, breaker) && counts.items.submitting === 0) return 'stopped';
  if (isOutOfBudget(counts)) return 'out-of-budget';
  return counts.pausedAt === undefined && allPausedAt === undefined ? 'running' : 'paused';
}

/** Every item of the manifest has ended, one way or another. */
export function hasEnded(counts: BatchCounts): boolean {
  return counts.sealed && counts.items.queued + underWay(counts) === 0;
}

/** It has ended, and its index is written. */
export function isFinished(counts: BatchCounts): boolean {
  return hasEnded(counts) && counts.finishedVersion === counts.version;
}

/** It waits for a person, or for an account to be filled up, and does not pass while a process only looks. */
export function stopsForGood({ refusal }: Pick<TrippedBreaker, 'refusal'>): boolean {
  return STOPS_FOR_GOOD.includes(refusal);
}

/** Nothing runs any more that is worth waiting for, but for submits that may be under way. */
export function isStuckButForSubmits(counts: BatchCounts, breaker: TrippedBreaker | undefined): boolean {
  const { items } = counts;
  const isUnderWay = items.submitted + items.finished > 0;
  return breaker !== undefined && stopsForGood(breaker) && !isUnderWay && !mayBeFed(counts);
}

/** Everything else has ended, and what is left costs more than the budget has room for. */
export function isOutOfBudget(counts: BatchCounts): boolean {
  const { sealed, items, overBudget, mayHaveRoom } = counts;
  return sealed && !mayHaveRoom && underWay(counts) === 0 && items.queued > 0 && overBudget.items >= items.queued;
}

/** Items of which a request or a task may be paid for and has not ended: always waited for. */
function underWay({ items }: BatchCounts): number {
  return items.submitting + items.submitted + items.finished;
}

/** Nothing more is fed for now: not half of the window is used up. */
export function isFilled(fed: number, window: number): boolean {
  return 2 * fed > window;
}

/** What waits in the archive may go another way than what is in the queue: as far as it was looked at, it is about to be fed. */
function mayBeFed({ unfed, pausedAt, fullVersion, version }: BatchCounts): boolean {
  return unfed > 0 && pausedAt === undefined && fullVersion !== undefined && fullVersion !== version;
}

/** Whether it goes to this archive by this API; one that an older version enqueued names no API. */
export function isOnRoute({ archive, api }: BatchCounts, route: { archive: string; api: string }): boolean {
  return (archive === '' || archive === route.archive) && (api === '' || api === route.api);
}

/** What it may cost, of all accounts and of single ones. */
export function budgetOf({ budget, accounts = {} }: BatchCounts): BudgetCredits | undefined {
  const each = Object.entries(accounts).map(([account, { budget: own }]) => [account, own]);
  if (budget === undefined && each.length === 0) return undefined;
  return {
    ...(budget !== undefined && { all: budget }),
    ...(each.length > 0 && { accounts: Object.fromEntries(each) }),
  };
}

/** How many items have ended. */
export function doneOf({ items }: BatchCounts): number {
  return items.archived + items.failed + items.held + items.cancelled;
}

/** What is shown of a batch that Redis does not know yet. */
export function emptyCounts(batch: string): BatchCounts {
  return {
    batch,
    archive: '',
    api: '',
    createdAt: Date.now(),
    sealed: false,
    pausedAt: undefined,
    cancelledAt: undefined,
    version: 0,
    finishedVersion: undefined,
    unreadable: 0,
    missing: 0,
    items: noItems(),
    total: 0,
    former: 0,
    unfed: 0,
    window: 0,
    submits: 0,
    credits: 0,
    unsettled: 0,
    budget: undefined,
    overBudget: { items: 0, credits: 0 },
    mayHaveRoom: false,
    bytes: 0,
    orphans: 0,
  };
}

/** None in each state. */
export function noItems(): Record<ItemState, number> {
  return { queued: 0, submitting: 0, submitted: 0, finished: 0, archived: 0, failed: 0, held: 0, cancelled: 0 };
}
