import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { RedisClient } from '../redis/connection.ts';
import type { Rate } from '../text/duration.ts';
import { defineScript } from './script.ts';

/** How many tasks may run at once (0: no cap), and the keys that hold one member for each. */
export type Running = { most: number; lists: string[]; sortedSets: string[] };
export type LimiterSettings = { rate: Rate; requestTimeoutMs: number; marginMs: number; running: Running };

/**
 * When one request more could be sent. `isFull`: as many tasks run as may, so that it also waits for the end of one, behind those that
 * `waiting` counts.
 */
export type Outlook = { waitMs: number; isFull: boolean; waiting: number };

const LARGEST_MARGIN_MS = 1_000;
const PAUSE_MS = 250;
/** A waiter that does not ask for its slot so long after its time is dead. Nothing was sent, so the slot is free at once. */
const LEASE_MS = 5_000;
/**
 * How long to wait when every slot is taken and unanswered, so that none can be promised. A large fleet has many more waiters than
 * slots: if all of them asked every 20 ms, 128 waiters would cost most of a core.
 */
const NO_PROMISE_MS = { shortest: 20, longest: 1_000 };

const taken = z.tuple([z.number(), z.string(), z.number()]);
const wait = z.number();

/** The limiter's scripts with their arguments, see lua/include/limiter.lua. All times are milliseconds. */
export function limiterScripts(redis: RedisClient, log: string[], settings: LimiterSettings) {
  const { rate, requestTimeoutMs, marginMs, running } = settings;
  const { max, windowMs } = rate;
  const take = defineScript(redis, 'limiter-take');
  const ready = defineScript(redis, 'limiter-ready');
  const settle = defineScript(redis, 'limiter-settle');
  const refuse = defineScript(redis, 'limiter-refuse');
  const release = defineScript(redis, 'limiter-release');
  const usage = defineScript(redis, 'limiter-usage');
  const outlook = defineScript(redis, 'limiter-outlook');
  // Queues of another archive that share the API may come while this process runs.
  const logAndTasks = () => [...log, ...running.lists, ...running.sortedSets];
  let epoch = '';

  return {
    /** `waitMs` below 0: no slot can be promised before so many milliseconds. `isClear`: nothing stands in the way of sending. */
    async take(token: string, goesOut: boolean, leaves: number): Promise<{ waitMs: number; isClear: boolean }> {
      const answer = await take(logAndTasks(), [
        ...[token, max, windowMs, marginMs, LEASE_MS, epoch, randomUUID(), requestTimeoutMs],
        ...[running.most, running.lists.length, goesOut ? 1 : 0, NO_PROMISE_MS.shortest, NO_PROMISE_MS.longest],
        leaves,
      ]);
      const [waitMs, newEpoch, clear] = taken.parse(answer);
      epoch = newEpoch;
      return { waitMs, isClear: clear === 1 };
    },
    /** 0: go on. Above 0: ask again after so long. Below 0: take another slot. */
    async ready(token: string, goesOut: boolean): Promise<number> {
      const answer = await ready(logAndTasks(), [
        ...[token, windowMs, requestTimeoutMs, running.most, running.lists.length, LEASE_MS, goesOut ? 1 : 0],
      ]);
      return wait.parse(answer);
    },
    async settle(token: string, sinceSentMs: number): Promise<void> {
      await settle(log, [token, sinceSentMs, windowMs, marginMs]);
    },
    async refuse(token: string, sinceSentMs: number, retryAfterMs: number | undefined): Promise<void> {
      const pauseMs = Math.round(PAUSE_MS * (0.75 + Math.random() * 0.5));
      await refuse(log, [token, sinceSentMs, windowMs, retryAfterMs ?? -1, pauseMs, LARGEST_MARGIN_MS]);
    },
    async release(token: string, freeInMs: number): Promise<void> {
      await release(log, [token, freeInMs]);
    },
    usage: () => usage(log, [windowMs, LEASE_MS, requestTimeoutMs]),
    async outlook(): Promise<Outlook> {
      const answer = await outlook(logAndTasks(), [max, windowMs, marginMs, running.most, running.lists.length]);
      const [waitMs, isFull, waiting] = z.tuple([z.number(), z.number(), z.number()]).parse(answer);
      return { waitMs, isFull: isFull === 1, waiting };
    },
  };
}
export type LimiterScripts = ReturnType<typeof limiterScripts>;
