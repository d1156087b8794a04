import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { RedisClient } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { Limiter, Slot, TakeOptions } from '../stages/ports.ts';
import type { Rate } from '../text/duration.ts';
import { defineScript } from './script.ts';

export type LimiterOptions = {
  /** Names the log: limiters of one name on one Redis share their slots. */
  name: string;
  rate: Rate;
  /** The longest that a request may stay unanswered. */
  requestTimeoutMs: number;
  /**
   * Added to the window before a slot is used again, since the provider counts when a request arrives and we when it is
   * sent. 100 ms measured: no refusal at 20 ms of jitter; it grows by 50 ms when a 429 was a matter of timing and shrinks by
   * 1 ms with each success.
   */
  marginMs?: number;
  /** How many tasks may run at once, and the keys that hold one member for each. */
  running?: { most: number; lists: string[]; sortedSets: string[] };
};

export type LimiterUsage = {
  /** The limit in force, perhaps learned to be lower than configured; undefined before the first request. */
  limit: number | undefined;
  inWindow: number;
  pausedMs: number;
  sent: number;
  refused: number;
  marginMs: number;
};

const MARGIN_MS = 100;
const LARGEST_MARGIN_MS = 1_000;
const PAUSE_MS = 250;
/** A waiter that does not ask for its slot so long after its time is dead: nothing was sent, so the slot is free at once. */
const LEASE_MS = 5_000;
/**
 * How long to wait when every slot is taken and unanswered, so that none can be promised. Waiters of a large fleet are many more
 * than slots: were all to ask every 20 ms, 128 of them would cost most of a core.
 */
const NO_PROMISE_MS = { shortest: 20, longest: 1_000 };

const takenAnswer = z.tuple([z.number(), z.string(), z.number()]);
const waitAnswer = z.number();
const usageAnswer = z.array(z.number()).length(6);

/**
 * The provider's rate limit, kept for the whole fleet: at most `rate.max` requests are sent within any `rate.windowMs`.
 * A waiter gets a slot of its own with the time at which to send, so waiters neither stampede nor poll.
 */
export function redisLimiter(
  redis: RedisClient,
  keys: Keys,
  options: LimiterOptions,
): Limiter & { usage(): Promise<LimiterUsage> } {
  const { max, windowMs } = options.rate;
  const marginMs = options.marginMs ?? MARGIN_MS;
  const running = options.running ?? { most: 0, lists: [], sortedSets: [] };
  const log = (['reserved', 'sent', 'free', 'accepted', 'state'] as const).map((part) =>
    keys.limiter(options.name, part),
  );
  const take = defineScript(redis, 'limiter-take');
  const ready = defineScript(redis, 'limiter-ready');
  const settle = defineScript(redis, 'limiter-settle');
  const refuse = defineScript(redis, 'limiter-refuse');
  const release = defineScript(redis, 'limiter-release');
  const usage = defineScript(redis, 'limiter-usage');
  let epoch = '';

  const keysOfLog = [...log, ...running.lists, ...running.sortedSets];
  const { shortest, longest } = NO_PROMISE_MS;

  /** The local time at which the slot may be used; `isClear` when nothing stands in the way of using it now. */
  async function reserve(token: string, goesOut: boolean, signal: AbortSignal) {
    for (;;) {
      signal.throwIfAborted();
      const answer = await take(keysOfLog, [
        ...[token, max, windowMs, marginMs, LEASE_MS, epoch, randomUUID(), options.requestTimeoutMs],
        ...[running.most, running.lists.length, goesOut ? 1 : 0, shortest, longest],
      ]);
      const [waitMs, newEpoch, clear] = takenAnswer.parse(answer);
      epoch = newEpoch;
      if (waitMs >= 0) return { readyAt: performance.now() + waitMs, isClear: clear === 1 };
      await sleep(-waitMs * (0.5 + Math.random()), undefined, { signal });
    }
  }

  async function takeSlot({ leadMs, goesOut = false, signal }: TakeOptions): Promise<Slot> {
    let token = randomUUID();
    let { readyAt, isClear } = await reserve(token, goesOut, signal);
    let sentAt: number | undefined;
    const giveBack = async () => {
      await release(log, [token, Math.ceil(readyAt - performance.now())]);
    };
    const sinceSent = () => Math.floor(performance.now() - (sentAt ?? performance.now()));

    /** Waits for the slot's time but for `aheadMs`, and until nothing else stands in its way. */
    async function clearance(aheadMs: number, goes: boolean): Promise<void> {
      for (;;) {
        await sleepUntil(readyAt - aheadMs, signal);
        const answer = await ready(keysOfLog, [
          ...[token, windowMs, options.requestTimeoutMs, running.most, running.lists.length, LEASE_MS, goes ? 1 : 0],
        ]);
        const waitMs = waitAnswer.parse(answer);
        if (waitMs === 0) return;
        if (waitMs > 0) {
          await sleep(waitMs * (1 + Math.random() * 0.2), undefined, { signal });
        } else {
          token = randomUUID();
          ({ readyAt, isClear } = await reserve(token, goes, signal));
          if (isClear) return;
        }
      }
    }

    try {
      if (!isClear) await clearance(leadMs, goesOut);
    } catch (error) {
      await giveBack();
      throw error;
    }
    return {
      async ready() {
        if (!goesOut) await clearance(0, true);
        sentAt = performance.now();
      },
      sent() {
        sentAt = performance.now();
      },
      async settle() {
        await settle(log, [token, sinceSent(), windowMs, marginMs]);
      },
      async refuse(retryAfterMs) {
        const pauseMs = Math.round(PAUSE_MS * (0.75 + Math.random() * 0.5));
        await refuse(log, [token, sinceSent(), windowMs, retryAfterMs ?? -1, pauseMs, LARGEST_MARGIN_MS]);
      },
      release: giveBack,
    };
  }

  return {
    take: takeSlot,
    async usage() {
      const answer = usageAnswer.parse(await usage(log, []));
      const [limit = -1, inWindow = 0, pausedMs = 0, sent = 0, refused = 0, margin = 0] = answer;
      return { limit: limit < 0 ? undefined : limit, inWindow, pausedMs, sent, refused, marginMs: margin };
    },
  };
}

/** Timers may fire a fraction of a millisecond early; a slot must not. */
async function sleepUntil(localTime: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  for (let left = localTime - performance.now(); left > 0; left = localTime - performance.now()) {
    await sleep(Math.ceil(left), undefined, { signal });
  }
}
