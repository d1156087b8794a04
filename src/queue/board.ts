import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { Queues } from './queues.ts';

/**
 * The queues as bull-board takes them. Read-only: a job removed or retried by hand is an item out of step with its record, and
 * what people may do to items are commands of ours.
 */
export function boardAdapters({ byStage }: Queues): BullMQAdapter[] {
  return Object.values(byStage).map((queue) => new BullMQAdapter(queue, { readOnlyMode: true }));
}
