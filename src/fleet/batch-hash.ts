import { type BatchCounts, isFilled, noItems } from '../batch/counts.ts';
import { ACCOUNTS } from '../items/item.ts';
import { ITEM_STATES, type ItemState, isItemState } from '../items/item-state.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';

const PAGE = 1_000;

/** Told, perhaps more than once, when a batch's last live item has ended. */
export type OnEnded = (batch: string) => Promise<void>;

/** The keys of a script that sets states; `more` are its own. */
export function keysToSet(keys: Keys, batch: string, ...more: string[]): string[] {
  return [...hashesOf(keys, batch), ...more, keys.live];
}

/** The keys that every script about a batch begins with. */
export function hashesOf(keys: Keys, batch: string): string[] {
  return [keys.batch(batch), keys.items(batch)];
}

/** A batch's hash as Redis has it; docs/design.md lists its fields. */
export function readCounts(batch: string, hash: Readonly<Record<string, string>>, former: number): BatchCounts {
  const number = (field: string) => Number(hash[field] ?? 0);
  const items = noItems();
  for (const state of ITEM_STATES) items[state] = number(`n:${state}`);
  // What a feed has waits like any other; what a cancelled one has is cancelled.
  items.queued += number('unfed');
  items.cancelled += number('dropped');
  return {
    batch,
    archive: hash.archive ?? '',
    api: hash.api ?? '',
    createdAt: number('created'),
    sealed: hash.sealed === '1',
    pausedAt: hash.paused === undefined ? undefined : number('paused'),
    cancelledAt: hash.cancelled === undefined ? undefined : number('cancelled'),
    version: number('version'),
    finishedVersion: hash.finishedVersion === undefined ? undefined : number('finishedVersion'),
    unreadable: number('unreadable'),
    missing: number('missing'),
    items,
    total: Object.values(items).reduce((sum, count) => sum + count, 0),
    former: former + number('unfedFormer'),
    unfed: number('unfed'),
    window: number('window'),
    ...(hash.full !== undefined && { fullVersion: number('full') }),
    submits: number('submits'),
    credits: number('credits'),
    unsettled: number('maybe'),
    budget: hash.budget === undefined ? undefined : number('budget'),
    ...accountsIn(hash, number),
    overBudget: overBudgetOf(hash, number),
    mayHaveRoom: hash.room !== undefined,
    bytes: number('bytes'),
    orphans: number('orphans') + number('unfedLost'),
  };
}

function accountsIn(
  hash: Readonly<Record<string, string>>,
  number: (field: string) => number,
): Pick<BatchCounts, 'accounts'> {
  const others = {
    credits: number('credits') - number('credits:others'),
    unsettled: number('maybe') - number('maybe:others'),
  };
  const found = ACCOUNTS.filter((account) => hash[`budget:${account}`] !== undefined).map((account) => {
    const sums =
      account === ACCOUNTS[0]
        ? others
        : { credits: number(`credits:${account}`), unsettled: number(`maybe:${account}`) };
    return [account, { budget: number(`budget:${account}`), ...sums }];
  });
  return found.length === 0 ? {} : { accounts: Object.fromEntries(found) };
}

/** Only items that are fed are told that they are over budget. Nothing more is fed while all of these are. */
function overBudgetOf(
  hash: Readonly<Record<string, string>>,
  number: (field: string) => number,
): BatchCounts['overBudget'] {
  const [items, credits, unfed, fed] = [number('beyond'), number('beyondCredits'), number('unfed'), number('n:queued')];
  const isFull = hash.full === undefined ? isFilled(fed, number('window')) : number('full') === number('version');
  if (unfed === 0 || items === 0 || items < fed || !isFull) return { items, credits };
  return { items: items + unfed, credits: credits + Math.round((unfed * credits) / items) };
}

/** `submitting` is stored with its fencing token, as `submitting:<token>`. */
export function parseState(value: string | null): ItemState | undefined {
  const name = value?.split(':')[0] ?? '';
  return isItemState(name) ? name : undefined;
}

/** All items in no order; one that moves meanwhile may be missed or doubled. */
export async function* pagesOf(
  redis: RedisClient,
  keys: Keys,
  batch: string,
): AsyncGenerator<[id: string, state: ItemState][]> {
  let cursor = '0';
  do {
    const [next, flat] = await redis.hscan(keys.items(batch), cursor, 'COUNT', PAGE);
    cursor = next;
    yield pairsOf(flat).flatMap(([id, value]) => {
      const state = parseState(value);
      return state === undefined ? [] : [[id, state] satisfies [string, ItemState]];
    });
  } while (cursor !== '0');
}

/** Redis lists pairs flat. */
export function pairsOf(flat: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) result.push([flat[index] ?? '', flat[index + 1] ?? '']);
  return result;
}
