import type { Finished, Item, Submitted } from '../../src/items/item.ts';
import type { Forward } from '../../src/stages/ports.ts';

type Queued<Data> = { data: Data; atMs?: number };

/** Queues that, like BullMQ's, keep a job that is there when one of the same id is added. */
export function memoryQueues() {
  const submits = new Map<string, Queued<Item>>();
  const polls = new Map<string, Queued<Submitted>>();
  const archives = new Map<string, Queued<Finished>>();
  const add = <Data extends Item>(queue: Map<string, Queued<Data>>, data: Data, atMs?: number) => {
    if (!queue.has(data.id)) queue.set(data.id, { data, ...(atMs === undefined ? {} : { atMs }) });
  };
  const forward: Forward = {
    submit: async (item) => add(submits, item),
    poll: async (item, atMs) => add(polls, item, atMs),
    archive: async (item) => add(archives, item),
  };
  const submitAll = async (items: readonly Item[]) => {
    for (const item of items) add(submits, item);
  };
  const pollAll = async (items: readonly Submitted[]) => {
    for (const item of items) add(polls, item);
  };
  return {
    submits,
    polls,
    archives,
    forward,
    bulk: { submitAll, pollAll, submitAgain: submitAll, pollAgain: pollAll },
    clear() {
      for (const queue of [submits, polls, archives]) queue.clear();
    },
  };
}
