import type { SubmitWay } from '../items/submit-way.ts';

/**
 * Where items wait to be submitted: those that wait for one vendor's accounts must not stand before those of another, nor before those
 * that either may make. The first has the name that there was before others came.
 */
const SUBMIT_QUEUES = { kie: 'submit', bfl: 'submit-bfl', either: 'submit-either' } as const;

export function submitQueueOf(way: SubmitWay): string {
  return SUBMIT_QUEUES[way];
}

/** Where the tasks of a lane wait to be asked for: only who has its key can do that. Those of accounts without a name have one queue. */
export function pollQueueOf(lane: string | undefined): string {
  return lane === undefined ? 'poll' : `poll@${lane}`;
}
