/** An item's state in Redis. The archive's record is the truth; progress and claims go by this. */
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
/**
 * Where an item stands in Redis. `queued`, `submitting`, `submitted` and `finished` (its image can be fetched) are moved on by workers;
 * `archived`, `failed` and `cancelled` are ends; `held` waits for a person.
 */
export type ItemState = (typeof ITEM_STATES)[number];

/** States that a worker moves on from by itself. The others are ends, or wait for a person. */
export const LIVE_STATES = ['queued', 'submitting', 'submitted', 'finished'] as const satisfies readonly ItemState[];

/**
 * The states that each state may be reached from. A transition to the present state is a repeated step and changes nothing.
 * Nothing leaves `archived`. Only a task id that turned up, or a person, takes an item out of `failed` and `held`.
 */
export const MAY_COME_FROM: Readonly<Record<ItemState, readonly ItemState[]>> = {
  queued: ['submitting', 'submitted', 'failed', 'held', 'cancelled'],
  submitting: ['queued'],
  submitted: ['queued', 'submitting', 'held', 'failed', 'cancelled'],
  finished: ['queued', 'submitting', 'submitted', 'held', 'failed'],
  archived: ['queued', 'submitting', 'submitted', 'finished', 'held', 'failed', 'cancelled'],
  failed: ['queued', 'submitting', 'submitted', 'finished', 'held', 'cancelled'],
  held: ['queued', 'submitting', 'submitted', 'finished', 'cancelled'],
  cancelled: ['queued', 'submitting'],
};

export function isLive(state: ItemState): boolean {
  return (LIVE_STATES as readonly ItemState[]).includes(state);
}

export function isItemState(text: string): text is ItemState {
  return (ITEM_STATES as readonly string[]).includes(text);
}
