import { type ItemState, isLive } from './item-state.ts';
import type { Failure, ItemRecord } from './record.ts';

/** What to do with an item of the manifest, given its state in Redis and its record in the archive. */
export type Step = {
  /** Its new state; absent: the state stays. */
  admitAs?: ItemState;
  /** The job that must be there; adding one that exists is a no-op. */
  job?: 'submit' | 'poll';
  /** The record is to be made `queued` first: a person wants it submitted once more. */
  requeueRecord?: true;
};

/** A held or failed item whose task may still yield its image: asking again spends nothing. */
const WORTH_ASKING_AGAIN: readonly Failure['class'][] = [
  'poll-timeout',
  'unknown-task',
  'unreachable',
  'invalid-image',
  'internal',
];

export function isWorthAskingAgain(failure: Failure): boolean {
  return WORTH_ASKING_AGAIN.includes(failure.class);
}

/**
 * The archive is the truth: without a record nothing was spent, and with one its state decides. An item that is live in Redis
 * belongs to a worker, so this only makes sure of its job.
 */
export function reconcile(
  state: ItemState | undefined,
  record: ItemRecord | undefined,
  settings: { onUnknown: 'hold' | 'resubmit'; now: number; storedTtlMs: number },
): Step {
  if (state !== undefined && isLive(state)) return reconcileLive(state, record);
  switch (record?.state) {
    case undefined:
    case 'queued':
    case 'cancelled':
      // Also when it was cancelled: who enqueues its manifest again wants it made after all.
      return { admitAs: 'queued', job: 'submit' };
    case 'claimed':
      // The submit stage knows what to do with a claim, and when its outcome can be called unknown.
      return { admitAs: 'queued', job: 'submit' };
    case 'submitted':
      return { admitAs: 'submitted', job: 'poll' };
    case 'archived':
      return { admitAs: 'archived' };
    case 'failed':
      // Versions that counted attempts have failed what they could not send: nothing was spent on it.
      if (record.failure.class === 'unreachable' && record.taskId === undefined)
        return { admitAs: 'queued', job: 'submit', requeueRecord: true };
      return mayYieldItsImage(record, settings) ? { admitAs: 'submitted', job: 'poll' } : { admitAs: 'failed' };
    case 'held':
      if (mayYieldItsImage(record, settings)) return { admitAs: 'submitted', job: 'poll' };
      if (settings.onUnknown === 'resubmit') return { admitAs: 'queued', job: 'submit', requeueRecord: true };
      return { admitAs: 'held' };
    default:
      return record satisfies never;
  }
}

function reconcileLive(state: ItemState, record: ItemRecord | undefined): Step {
  if (state === 'queued' || state === 'submitting') return { job: 'submit' };
  return record && 'taskId' in record && record.taskId !== undefined ? { job: 'poll' } : {};
}

/** Its task is paid for and may have an image: to ask for it again costs nothing. */
export function mayYieldItsImage(
  record: Extract<ItemRecord, { state: 'failed' | 'held' }>,
  settings: { now: number; storedTtlMs: number },
): boolean {
  const submitted = Date.parse(record.timings.submitted ?? record.timings.queued);
  return (
    record.taskId !== undefined && isWorthAskingAgain(record.failure) && settings.now < submitted + settings.storedTtlMs
  );
}
