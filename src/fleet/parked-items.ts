import type { Queues } from '../queue/queues.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { RedisSpending } from './spending.ts';

/** Another look follows in a few seconds: so many items, as a rule, are more than are submitted meanwhile. */
const WOKEN_AT_ONCE = 1_000;

/** A person's word holds for any batch, whichever archive and API it belongs to. */
export type QueuesOfRoutes = { of(batch: string): Promise<Queues>; all(): Promise<Queues[]> };

/** Items whose jobs are parked: those of paused batches, and those over budget. */
export function parkedItems(
  redis: RedisClient,
  keys: Keys,
  routes: QueuesOfRoutes,
  spending: Pick<RedisSpending, 'affordable'>,
) {
  return {
    /** Promotes the parked jobs of batches, each in the queues of its route; but for items over budget, which a resume does not help. */
    async unparkJobs(batches: ReadonlySet<string>): Promise<void> {
      const byQueues = new Map<Queues, Map<string, ReadonlySet<string>>>();
      for (const batch of batches) {
        const queues = await routes.of(batch);
        const overBudget = new Set(await redis.hkeys(keys.overBudget(batch)));
        byQueues.set(queues, (byQueues.get(queues) ?? new Map()).set(batch, overBudget));
      }
      for (const [queues, own] of byQueues) {
        await queues.unpark((batch, item) => own.get(batch)?.has(item) === false);
      }
    },
    /** As many items over budget as there is room for by now run again. */
    async wakeWithinBudget(batch: string): Promise<void> {
      const ids = await spending.affordable(batch, WOKEN_AT_ONCE);
      if (ids.length > 0) await (await routes.of(batch)).unparkItems(ids.map((id) => ({ batch, id })));
    },
  };
}
