import { z } from 'zod';
import type { BatchIntake } from '../batch/enqueue-items.ts';
import { ITEM_STATES, type ItemState, isItemState, MAY_COME_FROM } from '../items/item-state.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import { defineScript } from '../redis/script.ts';
import type { BatchState, Confirmation, FleetGate, ItemRef } from '../stages/ports.ts';
import { ADMIT, CANCEL, CLAIM, CONFIRM, FORGET, MOVE, SEAL, STANDING } from './batch-scripts.ts';
import { redisGate } from './breaker.ts';

/** What is known of a batch without looking at any of its items. */
export type BatchCounts = {
  batch: string;
  archive: string;
  createdAt: number;
  /** The whole manifest has been enqueued. */
  sealed: boolean;
  /** Since when the user lets nothing of it be submitted; undefined while it may. */
  pausedAt: number | undefined;
  /** When the user cancelled it; undefined when not, or when it was begun again since. */
  cancelledAt: number | undefined;
  /** Grows with every transition. */
  version: number;
  /** The version that the index in the archive was written from; undefined before the first time. */
  finishedVersion: number | undefined;
  items: Record<ItemState, number>;
  total: number;
  submits: number;
  /** What its tasks cost, and what submits may have cost that are under way or of which nobody knows. */
  credits: number;
  maybe: number;
  /** What it may cost; undefined when that is not limited. */
  budget: number | undefined;
  /** Queued items that the budget does not allow, and what they would cost. */
  beyond: { items: number; credits: number };
  bytes: number;
};

const PAGE = 1_000;
/** About a hundred items a second look whether the gate is open again: enough to begin with, nothing to notice. */
const GATE_CHECK_PACE_MS = 10;
const GATE_CHECK_MS = 1_000;
const LONGEST_GATE_CHECK_MS = 60_000;
/** So long an unpaused batch is not asked about again before a submit's last question. */
const HINT_MS = 500;
const moved = z.tuple([z.number(), z.number()]);
const stood = z.tuple([z.enum(['open', 'paused', 'cancelled', 'closed', 'out-of-budget']), z.number()]);
const confirmed = z.enum(['go', 'probe', 'cancelled', 'paused', 'closed', 'out-of-budget', 'lost']);

/** The batches' hashes. `onEnded` is told, perhaps more than once, when a batch's last live item has ended. */
export function redisBatchState(redis: RedisClient, keys: Keys, onEnded: (batch: string) => Promise<void>) {
  const script = (name: string, lua: string) => defineScript(redis, `batch_${name}`, lua);
  const [move, claim, confirm, standing, cancel, admit, forget, seal] = [
    script('move', MOVE),
    script('claim', CLAIM),
    script('confirm', CONFIRM),
    script('standing', STANDING),
    script('cancel', CANCEL),
    script('admit', ADMIT),
    script('forget', FORGET),
    script('seal', SEAL),
  ];
  const hashes = (batch: string) => [keys.batch(batch), keys.items(batch)];

  const money = (batch: string) => [keys.fleetPause, keys.gate, keys.charges(batch), keys.beyond(batch), keys.sends];

  const hints = new Map<string, { stopped: Promise<boolean>; readAt: number }>();

  /** Whether anything may keep the batch's items from being submitted. */
  function hintOf(batch: string): Promise<boolean> {
    const cached = hints.get(batch);
    if (cached && Date.now() - cached.readAt < HINT_MS) return cached.stopped;
    const stopped = Promise.all([
      redis.hmget(keys.batch(batch), 'paused', 'cancelled', 'budget'),
      redis.exists(keys.fleetPause, keys.gate),
    ]).then(([fields, all]) => all > 0 || fields.some((field) => field !== null));
    hints.set(batch, { stopped, readAt: Date.now() });
    return stopped;
  }

  const transitions: Omit<BatchState, keyof FleetGate> = {
    async standing(item, credits) {
      if (!(await hintOf(item.batch))) return 'open';
      const answer = await standing([...hashes(item.batch), ...money(item.batch)], [item.id, credits ?? '']);
      const [says, ended] = stood.parse(answer);
      if (ended === 1) await onEnded(item.batch);
      return says;
    },
    async gateCheckMs(batch) {
      const queued = Number((await redis.hget(keys.batch(batch), 'n:queued')) ?? 0);
      const aboutMs = Math.min(Math.max(queued * GATE_CHECK_PACE_MS, GATE_CHECK_MS), LONGEST_GATE_CHECK_MS);
      return aboutMs * (0.5 + Math.random());
    },
    async claim(item, holder) {
      const answer = z.string().parse(await claim(hashes(item.batch), [item.id, holder]));
      return answer === 'claimed'
        ? { kind: 'claimed' }
        : { kind: 'refused', state: isItemState(answer) ? answer : undefined };
    },
    async confirm(item, holder, credits): Promise<Confirmation> {
      const answer = await confirm([...hashes(item.batch), ...money(item.batch)], [item.id, holder, credits ?? '']);
      return confirmed.parse(answer);
    },
    async move(item: ItemRef, to, add = {}) {
      const counters = Object.entries(add).flat();
      const answer = await move(
        [...hashes(item.batch), keys.landed(item.batch)],
        [item.id, to, MAY_COME_FROM[to].join(','), ...counters],
      );
      const [ok, ended] = moved.parse(answer);
      if (ended === 1) await onEnded(item.batch);
      return ok === 1;
    },
    async outdateIndex(batch) {
      await redis.hincrby(keys.batch(batch), 'version', 1);
    },
  };

  const intake: BatchIntake = {
    async open(batch, facts) {
      await redis.zadd(keys.batches, 'NX', Date.now(), batch);
      await redis.hsetnx(keys.batch(batch), 'created', Date.now());
      await redis.hset(keys.batch(batch), { archive: facts.archive, digest: facts.digest, sealed: '0' });
      // To enqueue again what was cancelled is the user's word to make it after all.
      await redis.hdel(keys.batch(batch), 'cancelled');
      await redis.del(keys.seen(batch));
      return (await redis.hlen(keys.items(batch))) === 0;
    },
    async states(batch, ids) {
      const values = await redis.hmget(keys.items(batch), ...ids);
      return values.map(parseState);
    },
    async admit(batch, entries) {
      if (entries.length === 0) return new Set();
      const admitted = await admit(
        hashes(batch),
        entries.flatMap(({ id, was, to }) => [id, was ?? '', to]),
      );
      return new Set(z.array(z.string()).parse(admitted));
    },
    async see(batch, ids) {
      await redis.sadd(keys.seen(batch), ...ids);
    },
    async forgetUnseen(batch) {
      for await (const page of pagesOf(batch)) {
        await forget(
          [...hashes(batch), keys.seen(batch)],
          page.map(([id]) => id),
        );
      }
      await redis.del(keys.seen(batch));
    },
    async seal(batch) {
      if ((await seal(hashes(batch), [])) === 1) await onEnded(batch);
    },
  };

  async function* pagesOf(batch: string): AsyncGenerator<[id: string, state: ItemState][]> {
    let cursor = '0';
    do {
      const [next, flat] = await redis.hscan(keys.items(batch), cursor, 'COUNT', PAGE);
      cursor = next;
      yield pairs(flat).flatMap(([id, value]) => {
        const state = parseState(value);
        return state === undefined ? [] : [[id, state] satisfies [string, ItemState]];
      });
    } while (cursor !== '0');
  }

  return {
    ...transitions,
    ...redisGate(redis, keys),
    intake,

    /** The items archived last, the newest first: at most 600 are remembered. Times are epoch milliseconds. */
    async landed(batch: string, most: number): Promise<{ id: string; at: number }[]> {
      const flat = await redis.zrevrange(keys.landed(batch), 0, most - 1, 'WITHSCORES');
      return pairs(flat).map(([id, seconds]) => ({ id, at: Number(seconds) * 1_000 }));
    },
    /** How many of them in so much time, at most 600. */
    landedWithin(batch: string, ms: number): Promise<number> {
      return redis.zcount(keys.landed(batch), (Date.now() - ms) / 1_000, '+inf');
    },
    async stateOf(item: ItemRef): Promise<ItemState | undefined> {
      return parseState(await redis.hget(keys.items(item.batch), item.id));
    },

    /** Undefined when Redis knows nothing of the batch. */
    async counts(batch: string): Promise<BatchCounts | undefined> {
      const hash = await redis.hgetall(keys.batch(batch));
      return hash.created === undefined ? undefined : readCounts(batch, hash);
    },
    async batches(): Promise<string[]> {
      return redis.zrange(keys.batches, '0', '-1');
    },
    /** Ids of the items in any of these states, in no order; an item that moves meanwhile may be missed or doubled. */
    async *itemsIn(batch: string, states: readonly ItemState[]): AsyncGenerator<string> {
      for await (const page of pagesOf(batch)) {
        for (const [id, state] of page) if (states.includes(state)) yield id;
      }
    },
    /** Cancels what is queued; what is being submitted just now finds out by itself. Returns how many. */
    async cancelQueued(batch: string): Promise<number> {
      let sum = 0;
      for await (const page of pagesOf(batch)) {
        const ids = page.flatMap(([id, state]) => (state === 'queued' ? [id] : []));
        if (ids.length === 0) continue;
        const [count, ended] = moved.parse(await cancel(hashes(batch), ids));
        sum += count;
        if (ended === 1) await onEnded(batch);
      }
      return sum;
    },
    async noteFinished(batch: string, version: number): Promise<void> {
      await redis.hset(keys.batch(batch), { finishedVersion: String(version) });
    },
  };
}
export type RedisBatchState = ReturnType<typeof redisBatchState>;

/** Every item of the manifest has ended, one way or another. */
export function hasEnded(counts: BatchCounts): boolean {
  const { queued, submitting, submitted, finished } = counts.items;
  return counts.sealed && queued + submitting + submitted + finished === 0;
}

function readCounts(batch: string, hash: Record<string, string>): BatchCounts {
  const number = (field: string) => Number(hash[field] ?? 0);
  const items = { ...NONE };
  for (const state of ITEM_STATES) items[state] = number(`n:${state}`);
  return {
    batch,
    archive: hash.archive ?? '',
    createdAt: number('created'),
    sealed: hash.sealed === '1',
    pausedAt: hash.paused === undefined ? undefined : number('paused'),
    cancelledAt: hash.cancelled === undefined ? undefined : number('cancelled'),
    version: number('version'),
    finishedVersion: hash.finishedVersion === undefined ? undefined : number('finishedVersion'),
    items,
    total: Object.values(items).reduce((sum, count) => sum + count, 0),
    submits: number('submits'),
    credits: number('credits'),
    maybe: number('maybe'),
    budget: hash.budget === undefined ? undefined : number('budget'),
    beyond: { items: number('beyond'), credits: number('beyondCredits') },
    bytes: number('bytes'),
  };
}

const NONE: Readonly<Record<ItemState, number>> = {
  queued: 0,
  submitting: 0,
  submitted: 0,
  finished: 0,
  archived: 0,
  failed: 0,
  held: 0,
  cancelled: 0,
};

function parseState(value: string | null): ItemState | undefined {
  const name = value?.split(':')[0] ?? '';
  return isItemState(name) ? name : undefined;
}

function pairs(flat: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) result.push([flat[index] ?? '', flat[index + 1] ?? '']);
  return result;
}
