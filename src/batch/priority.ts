/** Item priorities within a batch of its own priority: 0 to 999. */
const STEP = 1_000;
/** BullMQ's largest priority, 2^21 - 1, over the step. */
export const LARGEST = 2_096;

/**
 * Where items stand among those of all batches. A batch of priority n comes after all of lower n; within it items go by their own
 * priority, 999 at most. Without one (0) items go by their own priority alone.
 */
export function priorityOf(batchPriority: number, itemPriority: number): number {
  return batchPriority === 0 ? itemPriority : batchPriority * STEP + Math.min(itemPriority, STEP - 1);
}

/** An item's own priority, from where it stands. One of 1,000 or more that its manifest gives it is taken for that of a batch. */
export function ownPriority(priority: number): number {
  return priority % STEP;
}

export async function* prioritized<T extends { priority: number }>(
  items: AsyncIterable<T>,
  batchPriority: number,
): AsyncGenerator<T> {
  for await (const item of items) yield { ...item, priority: priorityOf(batchPriority, item.priority) };
}

export function isBatchPriority(priority: number): boolean {
  return Number.isInteger(priority) && priority >= 0 && priority <= LARGEST;
}
