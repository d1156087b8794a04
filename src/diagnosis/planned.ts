import type { Rate } from '../text/duration.ts';
import { ARCHIVING_MS, ASSUMED, occupiedMs, type Slots, slotsMs, type Work, workMs } from './time-left.ts';

/** What an account permits. */
export type Limits = { rateLimit: Rate; pollLimit: Rate; maxTasks: number };
/** What it is to make of a batch that has not begun. */
export type Load = Limits & { items: number };
/** The limit that decides how long it takes. */
export type Bound = 'rate' | 'tasks' | 'polls';

/**
 * What accounts that work side by side will take, by the estimate that `timeLeft` goes by. Tasks are taken to last as they do as a
 * rule.
 */
export function plannedMs(loads: readonly Load[]): number {
  if (loads.every(({ items }) => items === 0)) return 0;
  return Math.round(workMs(...loads.map(workOf)) + ARCHIVING_MS);
}

/** Until the last submit goes out. */
export function lastSubmitMs({ items, rateLimit, maxTasks }: Load): number {
  return Math.round(Math.max(slotsMs(items, unused(rateLimit)), waitForPlaceMs(items, maxTasks)));
}

export function boundOf(load: Load): Bound {
  const work = workOf(load);
  const polled = unused({ max: Math.max(1, load.items), windowMs: 1 });
  if (slotsMs(load.items, work.polls) > workMs({ ...work, polls: polled })) return 'polls';
  return waitForPlaceMs(load.items, load.maxTasks) > slotsMs(load.items, work.submits) ? 'tasks' : 'rate';
}

/**
 * How many items each account gets. An item goes to the one that can send soonest, so that all of them send their last at about the same
 * time. Shares decide among those that could send at once, which changes nothing of when the last goes out.
 */
export function spread(items: number, accounts: readonly Limits[]): number[] {
  const within = (ms: number) => accounts.map((limits) => submitsWithin(ms, limits));
  const sumOf = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
  let [before, by] = [-1, 0];
  while (sumOf(within(by)) < items && accounts.length > 0) [before, by] = [by, 2 * by + 1];
  while (by - before > 1) {
    const middle = Math.floor((before + by) / 2);
    if (sumOf(within(middle)) < items) before = middle;
    else by = middle;
  }
  // All that goes out earlier, and of what could go out at this moment what is left: evenly.
  const [earlier, most] = [within(before), within(by)];
  let left = Math.max(0, items - sumOf(earlier));
  let room = sumOf(most) - sumOf(earlier);
  return earlier.map((count, index) => {
    const own = (most[index] ?? 0) - count;
    const taken = room === 0 ? 0 : Math.round((left * own) / room);
    [left, room] = [left - taken, room - own];
    return count + taken;
  });
}

function submitsWithin(ms: number, { rateLimit: { max, windowMs }, maxTasks }: Limits): number {
  if (ms < 0) return 0;
  return Math.min(max * (Math.floor(ms / windowMs) + 1), maxTasks + Math.floor((ms * maxTasks) / occupiedMs(ASSUMED)));
}

/** Until as many tasks have ended as have to before the last begins. */
function waitForPlaceMs(items: number, maxTasks: number): number {
  return (Math.max(0, items - maxTasks) / maxTasks) * occupiedMs(ASSUMED);
}

function workOf({ items, rateLimit, pollLimit, maxTasks }: Load): Work {
  const limits = { submits: unused(rateLimit), pausedMs: 0, most: maxTasks, polls: unused(pollLimit), pollsLateMs: 0 };
  return { toSubmit: items, running: [], ...limits, durations: ASSUMED };
}

function unused(rate: Rate): Slots {
  return { free: rate.max, rate, firstMs: rate.windowMs, lastMs: rate.windowMs };
}
