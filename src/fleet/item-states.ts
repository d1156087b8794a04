import { z } from 'zod';
import type { ItemState } from '../items/item-state.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import { hashesOf, parseState } from './batch-hash.ts';
import { defineScript } from './script.ts';

/** A script's table of arguments has no room for many more. */
const AT_ONCE = 4_000;

const valuesSchema = z.array(z.string().nullable());

/** What Redis knows of items, packed or not. */
export function redisItemStates(redis: RedisClient, keys: Keys) {
  const lookUp = defineScript(redis, 'batch-states');

  /** In the order of `ids`. */
  async function values(batch: string, wanted: 'state' | 'charge', ids: readonly string[]) {
    const found: (string | null)[] = [];
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      const some = ids.slice(from, from + AT_ONCE);
      const all = [...hashesOf(keys, batch), keys.charges(batch)];
      found.push(...valuesSchema.parse(await lookUp(all, [wanted, ...some])));
    }
    return found;
  }

  return {
    async states(batch: string, ids: readonly string[]): Promise<(ItemState | undefined)[]> {
      return (await values(batch, 'state', ids)).map(parseState);
    },
    /** Known credits; 0 where nothing is known. */
    async credits(batch: string, ids: readonly string[]): Promise<number[]> {
      // `known|unsettled|reserved|token`, see fleet/lua/include/charges.lua.
      return (await values(batch, 'charge', ids)).map((charge) => Number(charge?.split('|', 1)[0] ?? 0));
    },
  };
}
