import { FluxError } from '../errors.ts';

/**
 * What becomes of a job whose stage threw.
 * - `attempt`: one of its attempts is used up; BullMQ runs it again after a backoff
 * - `end`: trying again would come to the same: the item ends at once
 * - `wait`: the fault is not the item's: it waits without using up attempts, however long it takes
 */
export type RetryRule = { kind: 'attempt' } | { kind: 'end' } | { kind: 'wait'; delayMs: number };

/** The one table of what is retried. A code that is not here is a bug of ours or of a library: it uses up attempts. */
const RULES: ReadonlyMap<string, RetryRule> = new Map([
  ['record-corrupt', { kind: 'end' }],
  ['archive-unreachable', { kind: 'wait', delayMs: 5_000 }],
  // It stored other bytes than were sent, and may do better the next time. The image lives on at the provider meanwhile.
  ['archive-corrupt', { kind: 'wait', delayMs: 30_000 }],
  ['archive-denied', { kind: 'wait', delayMs: 30_000 }],
  ['archive-full', { kind: 'wait', delayMs: 30_000 }],
  // A right that was taken away while we work; a person has to give it back.
  ['redis-refused', { kind: 'wait', delayMs: 30_000 }],
]);

export function retryRule(error: unknown): RetryRule {
  return (error instanceof FluxError ? RULES.get(error.code) : undefined) ?? { kind: 'attempt' };
}

const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 60_000;

/** Exponential with half of it at random, so that what failed together is not tried again together. `made`: tries so far. */
export function backoffMs(
  made: number,
  random: () => number = Math.random,
  { longestMs = LONGEST_BACKOFF_MS } = {},
): number {
  const full = Math.min(longestMs, FIRST_BACKOFF_MS * 2 ** Math.max(0, made - 1));
  return Math.round(full / 2 + (random() * full) / 2);
}
