import { z } from 'zod';
import type { RecordCharges } from '../items/charges.ts';
import { ACCOUNTS } from '../items/item.ts';
import type { BudgetCredits } from '../money/budget.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import { hashesOf } from './batch-hash.ts';
import { redisItemStates } from './item-states.ts';
import { defineScript } from './script.ts';

/** The charges of batches in Redis: the sums that budgets are kept by. The records can restore all of them. */
export function redisSpending(redis: RedisClient, keys: Keys) {
  const recordCharges = defineScript(redis, 'spending-record');
  const keepCharges = defineScript(redis, 'spending-keep');
  const setBudget = defineScript(redis, 'spending-set-budget');
  const affordable = defineScript(redis, 'spending-affordable');
  const record: RecordCharges = async (batch, charges) => {
    if (charges.length === 0) return;
    const hashes = [keys.batch(batch), keys.charges(batch), keys.overBudget(batch)];
    const entries = charges.flatMap(({ id, known, unsettled, account = '' }) => [id, known, unsettled, account]);
    await recordCharges(hashes, entries);
  };
  return {
    record,
    /** What these items have cost stays in the batch's sums when their records begin anew. */
    async keep(batch: string, ids: readonly string[]): Promise<void> {
      await keepCharges([keys.batch(batch), keys.charges(batch)], [...ids]);
    },
    /** What the batch may cost, in credits of the default provider. It holds for every worker from the next submit on. */
    async setBudget(batch: string, { all, accounts = {} }: BudgetCredits = {}): Promise<void> {
      const each = ACCOUNTS.flatMap((account) => [account, accounts[account] ?? '']);
      await setBudget([keys.batch(batch), keys.overBudget(batch)], [all ?? '', ...each]);
    },
    /** Items over budget that there is room for by now, so many at most. None when nothing has changed since there was none. */
    async affordable(batch: string, most: number): Promise<string[]> {
      const hashes = [keys.charges(batch), keys.overBudget(batch)];
      return z.array(z.string()).parse(await affordable([...hashesOf(keys, batch), ...hashes], [most]));
    },
    /** What its tasks have cost by the charges recorded here; also of a batch that Redis does not know otherwise. */
    async credits(batch: string): Promise<number> {
      return Number((await redis.hget(keys.batch(batch), 'credits')) ?? 0);
    },
    /** What the tasks of these items have cost, in their order; 0 for those of which nothing is known. */
    creditsOf: redisItemStates(redis, keys).credits,
    /** Whether all charges that the archive knows are counted here, since Redis began or was emptied. */
    async isRecounted(batch: string): Promise<boolean> {
      return (await redis.hexists(keys.batch(batch), 'accounted')) === 1;
    },
    async noteRecounted(batch: string): Promise<void> {
      await redis.hset(keys.batch(batch), { accounted: '1' });
    },
  };
}
export type RedisSpending = ReturnType<typeof redisSpending>;
