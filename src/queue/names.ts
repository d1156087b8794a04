import type { Vendor } from '../items/item.ts';

/**
 * Where items of a vendor wait to be submitted: those that wait for one vendor's accounts must not stand before those of another. The
 * first has the name that there was before others came.
 */
const SUBMIT_QUEUES: Readonly<Record<Vendor, string>> = { kie: 'submit', bfl: 'submit-bfl' };

export function submitQueueOf(vendor: Vendor): string {
  return SUBMIT_QUEUES[vendor];
}

/** Where the tasks of a lane wait to be asked for: only who has its key can do that. Those of accounts without a name have one queue. */
export function pollQueueOf(lane: string | undefined): string {
  return lane === undefined ? 'poll' : `poll@${lane}`;
}
