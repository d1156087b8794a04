import { ACCOUNTS, type Item, vendorOf } from './item.ts';

/** Where an item waits to be submitted: for a vendor whose accounts alone may make it, or for any that it names. */
export const SUBMIT_WAYS = [...ACCOUNTS, 'either'] as const;
export type SubmitWay = (typeof SUBMIT_WAYS)[number];
/** How many items wait where. */
export type WaitingByWay = Record<SubmitWay, number>;

export function submitWayOf({ request, providers }: Pick<Item, 'request' | 'providers'>): SubmitWay {
  return providers ? 'either' : vendorOf(request);
}
