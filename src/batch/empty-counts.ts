import type { BatchCounts } from '../fleet/batch-state.ts';

/** What is shown of a batch that Redis does not know yet. */
export function emptyCounts(batch: string): BatchCounts {
  const items = { queued: 0, submitting: 0, submitted: 0, finished: 0, archived: 0, failed: 0, held: 0, cancelled: 0 };
  return {
    batch,
    archive: '',
    createdAt: Date.now(),
    sealed: false,
    pausedAt: undefined,
    cancelledAt: undefined,
    version: 0,
    finishedVersion: undefined,
    items,
    total: 0,
    submits: 0,
    credits: 0,
    maybe: 0,
    budget: undefined,
    beyond: { items: 0, credits: 0 },
    bytes: 0,
  };
}
