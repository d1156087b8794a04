import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { ACCOUNTS, accountOf, providerOf } from '../items/item.ts';
import { isItemState, MAY_COME_FROM } from '../items/item-state.ts';
import { isElsewhere } from '../items/provider-list.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { BatchState, CircuitBreaker, Confirmation, ImageNotes, Requested, TaskClaims } from '../stages/ports.ts';
import { keysToSet, type OnEnded } from './batch-hash.ts';
import { defineScript } from './script.ts';

/** For so long a batch that nothing stops is not asked about again. `confirm` asks in any case. */
const UNSTOPPED_FOR_MS = 500;
const MOST_BATCHES = 1_000;

const moved = z.tuple([z.number(), z.number()]);
const admission = z.tuple([z.enum(['admitted', 'paused', 'cancelled', 'tripped', 'out-of-budget']), z.number()]);
const confirmed = z.enum(['go', 'probe', 'cancelled', 'paused', 'tripped', 'out-of-budget', 'lost']);

/** What a stage does to an item's state. Each is one script, so that it happens whole or not at all. */
export function redisBatchTransitions(
  redis: RedisClient,
  keys: Keys,
  onEnded: OnEnded,
): Omit<BatchState, keyof CircuitBreaker | keyof ImageNotes | keyof TaskClaims> {
  const move = defineScript(redis, 'batch-move');
  const claim = defineScript(redis, 'batch-claim');
  const confirm = defineScript(redis, 'batch-confirm');
  const admit = defineScript(redis, 'batch-admission');
  const outdate = defineScript(redis, 'batch-outdate');

  const keysOfMoney = (batch: string) =>
    keysToSet(keys, batch, keys.fleetPause, keys.breaker, keys.charges(batch), keys.overBudget(batch), keys.sends);

  /** Whether anything may keep a batch's items from being submitted. */
  const mayBeStopped = new LRUCache<string, boolean>({
    max: MOST_BATCHES,
    ttl: UNSTOPPED_FOR_MS,
    async fetchMethod(batch) {
      const [fields, all] = await Promise.all([
        redis.hmget(keys.batch(batch), 'paused', 'cancelled', 'budget', ...BUDGETS),
        redis.exists(keys.fleetPause, keys.breaker),
      ]);
      return all > 0 || fields.some((field) => field !== null);
    },
  });

  return {
    async checkAdmission(item, credits) {
      if ((await mayBeStopped.fetch(item.batch)) === false) return 'admitted';
      const [says, ended] = admission.parse(
        await admit(keysOfMoney(item.batch), [item.id, credits ?? '', ...whereOf(item)]),
      );
      if (ended === 1) await onEnded(item.batch);
      return says;
    },
    async claim(item, fencingToken) {
      const answer = z.string().parse(await claim(keysToSet(keys, item.batch), [item.id, fencingToken]));
      return answer === 'claimed'
        ? { kind: 'claimed' }
        : { kind: 'refused', state: isItemState(answer) ? answer : undefined };
    },
    async confirm(item, fencingToken, credits): Promise<Confirmation> {
      const answer = await confirm(keysOfMoney(item.batch), [item.id, fencingToken, credits ?? '', ...whereOf(item)]);
      return confirmed.parse(answer);
    },
    async move(item, to, add = {}) {
      const counters = Object.entries(add).flat();
      const answer = await move(
        keysToSet(keys, item.batch, keys.recentlyArchived(item.batch), keys.recentlyTroubled(item.batch)),
        [item.id, to, MAY_COME_FROM[to].join(','), ...counters],
      );
      const [ok, ended] = moved.parse(answer);
      if (ended === 1) await onEnded(item.batch);
      return ok === 1;
    },
    async outdateIndex(batch) {
      await outdate(keysToSet(keys, batch), []);
    },
  };
}

const BUDGETS = ACCOUNTS.map((account) => `budget:${account}`);

/** The account, empty for the default one, and whether another is preferred: as scripts have it. */
function whereOf({ request, providers }: Requested): [account: string, elsewhere: '' | '1'] {
  const account = accountOf(providerOf(request ?? {}));
  const elsewhere = request !== undefined && isElsewhere({ request, providers });
  return [account === ACCOUNTS[0] ? '' : account, elsewhere ? '1' : ''];
}
