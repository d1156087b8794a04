import type { Account } from '../items/charges.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import { defineScript } from '../redis/script.ts';
import { ACCOUNT, SET_BUDGET } from './spending-scripts.ts';

/** The charges of batches in Redis: the sums that budgets are kept by, all of which the records can restore. */
export function redisSpending(redis: RedisClient, keys: Keys) {
  const account = defineScript(redis, 'spending_account', ACCOUNT);
  const setBudget = defineScript(redis, 'spending_set_budget', SET_BUDGET);
  const note: Account = async (batch, charges) => {
    if (charges.length === 0) return;
    const hashes = [keys.batch(batch), keys.charges(batch), keys.beyond(batch), keys.resumed];
    const entries = charges.flatMap(({ id, known, maybe }) => [id, known, maybe]);
    await account(hashes, [batch, Date.now(), ...entries]);
  };
  return {
    account: note,
    /** What the batch may cost, in credits; it holds for every worker from the next submit on. */
    async setBudget(batch: string, credits: number | undefined): Promise<void> {
      await setBudget([keys.batch(batch), keys.beyond(batch)], [credits ?? '']);
    },
    /** What its tasks have cost by what is accounted for; also of a batch that Redis does not know otherwise. */
    async credits(batch: string): Promise<number> {
      return Number((await redis.hget(keys.batch(batch), 'credits')) ?? 0);
    },
    /** Whether all that the archive knows has been accounted for since Redis began, or was emptied. */
    async isAccounted(batch: string): Promise<boolean> {
      return (await redis.hexists(keys.batch(batch), 'accounted')) === 1;
    },
    async noteAccounted(batch: string): Promise<void> {
      await redis.hset(keys.batch(batch), { accounted: '1' });
    },
  };
}
export type RedisSpending = ReturnType<typeof redisSpending>;
