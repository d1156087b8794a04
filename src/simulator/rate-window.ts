import type { Rate } from '../text/duration.ts';

export type WindowKind = 'sliding' | 'fixed';

/** Asks for a slot at `now` (ms). Returns 0 when it is granted, else the milliseconds until one may be free. */
export type RateWindow = (now: number) => number;

/**
 * The provider does not document whether its window slides, nor whether a refused request counts. So both can be set.
 */
export function createRateWindow(kind: WindowKind, rate: Rate, refusalsCount = false): RateWindow {
  return kind === 'sliding' ? slidingWindow(rate, refusalsCount) : fixedWindow(rate, refusalsCount);
}

/**
 * Keeps the times of the last `max` requests in a ring buffer. The window is full when the oldest is younger than the
 * window.
 */
function slidingWindow({ max, windowMs }: Rate, refusalsCount: boolean): RateWindow {
  const times = new Array<number>(max).fill(Number.NEGATIVE_INFINITY);
  let oldest = 0;
  return (now) => {
    const freeInMs = (times[oldest] ?? 0) + windowMs - now;
    if (freeInMs <= 0 || refusalsCount) {
      times[oldest] = now;
      oldest = (oldest + 1) % max;
    }
    return Math.max(0, freeInMs);
  };
}

/** The window starts with the first request after the previous one ended, as with INCR and EXPIRE in Redis. */
function fixedWindow({ max, windowMs }: Rate, refusalsCount: boolean): RateWindow {
  let endsAt = Number.NEGATIVE_INFINITY;
  let taken = 0;
  return (now) => {
    if (now >= endsAt) {
      endsAt = now + windowMs;
      taken = 0;
    }
    if (taken < max) {
      taken += 1;
      return 0;
    }
    // With such a counter, a client that keeps asking is never granted a slot again.
    if (refusalsCount) endsAt = now + windowMs;
    return endsAt - now;
  };
}
