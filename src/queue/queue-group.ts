import type { Queue } from 'bullmq';

export type QueueGroup<Data> = ReturnType<typeof queueGroup<Data>>;

/** The queues of a stage, each for a part of its items. `all`: those that are known by now; `of`: the one that an item belongs in. */
export function queueGroup<Data>(all: () => readonly Queue[], of: (item: Data) => Queue) {
  return {
    all,
    of,
    /** Each queue with its own of these items. */
    async split(items: readonly Data[], add: (queue: Queue, items: readonly Data[]) => Promise<void>): Promise<void> {
      for (const queue of new Set(items.map(of))) {
        await add(
          queue,
          items.filter((item) => of(item) === queue),
        );
      }
    },
    /** The sum of what is done in each. */
    async sum(act: (queue: Queue) => Promise<number>): Promise<number> {
      const counts = await Promise.all(all().map(act));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    async each(act: (queue: Queue) => Promise<void>): Promise<void> {
      for (const queue of all()) await act(queue);
    },
    /** Jobs by BullMQ's states, of all of them. */
    async depths(): Promise<Record<string, number>> {
      const sums: Record<string, number> = {};
      for (const counts of await Promise.all(all().map((queue) => queue.getJobCounts())))
        for (const [state, count] of Object.entries(counts)) sums[state] = (sums[state] ?? 0) + count;
      return sums;
    },
  };
}
