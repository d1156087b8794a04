import type { Queue } from 'bullmq';
import { type Item, VENDORS, type Vendor, vendorOf } from '../items/item.ts';

/**
 * Where items of a vendor wait to be submitted: those that wait for one vendor's accounts must not stand before those of another. The
 * first has the name that there was before others came.
 */
const NAMES: Readonly<Record<Vendor, string>> = { kie: 'submit', bfl: 'submit-bfl' };

export function submitQueueOf(vendor: Vendor): string {
  return NAMES[vendor];
}

export type SubmitQueues = ReturnType<typeof submitQueues>;

/** One for each vendor. */
export function submitQueues(open: (name: string) => Queue) {
  const byVendor: Readonly<Record<Vendor, Queue>> = { kie: open(NAMES.kie), bfl: open(NAMES.bfl) };
  const all = VENDORS.map((vendor) => byVendor[vendor]);

  return {
    byVendor,
    all,
    of: (item: Item): Queue => byVendor[vendorOf(item.request)],
    /** Each queue with its own of these items. */
    async split(items: readonly Item[], add: (queue: Queue, items: readonly Item[]) => Promise<void>): Promise<void> {
      for (const vendor of VENDORS) {
        const own = items.filter((item) => vendorOf(item.request) === vendor);
        if (own.length > 0) await add(byVendor[vendor], own);
      }
    },
    /** The sum of what is done in each. */
    async sum(act: (queue: Queue) => Promise<number>): Promise<number> {
      const counts = await Promise.all(all.map(act));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    async each(act: (queue: Queue) => Promise<void>): Promise<void> {
      for (const queue of all) await act(queue);
    },
    /** Jobs by BullMQ's states, of all of them. */
    async depths(): Promise<Record<string, number>> {
      const sums: Record<string, number> = {};
      for (const counts of await Promise.all(all.map((queue) => queue.getJobCounts())))
        for (const [state, count] of Object.entries(counts)) sums[state] = (sums[state] ?? 0) + count;
      return sums;
    },
  };
}
