/** Where an item stands in Redis. The archive's record is the truth; this is what progress and claims go by. */
export const ITEM_STATES = [
  'queued',
  'submitting',
  'submitted',
  'finished',
  'archived',
  'failed',
  'held',
  'cancelled',
] as const;
export type ItemState = (typeof ITEM_STATES)[number];

/** States that a worker will move on from by itself. The others are ends, or wait for a person's word. */
export const LIVE_STATES = ['queued', 'submitting', 'submitted', 'finished'] as const satisfies readonly ItemState[];

/**
 * What an item may come from. A transition to the state it is in already is a repeated step and changes nothing.
 * `archived` absorbs. `failed` and `held` are left only by a task id that turned up or by a person's word.
 */
export const MAY_COME_FROM: Readonly<Record<ItemState, readonly ItemState[]>> = {
  queued: ['submitting', 'submitted', 'failed', 'held', 'cancelled'],
  submitting: ['queued'],
  submitted: ['queued', 'submitting', 'held', 'failed', 'cancelled'],
  finished: ['queued', 'submitting', 'submitted', 'held', 'failed'],
  archived: ['queued', 'submitting', 'submitted', 'finished', 'held', 'failed', 'cancelled'],
  failed: ['queued', 'submitting', 'submitted', 'finished', 'held'],
  held: ['queued', 'submitting', 'submitted'],
  cancelled: ['queued', 'submitting'],
};

export function isLive(state: ItemState): boolean {
  return (LIVE_STATES as readonly ItemState[]).includes(state);
}

export function isItemState(text: string): text is ItemState {
  return (ITEM_STATES as readonly string[]).includes(text);
}
