import type { Rate } from '../text/duration.ts';

export type WindowKind = 'sliding' | 'fixed';

/** Asks for a place at `now` (ms): 0 when granted, else the milliseconds until one may be free. */
export type RateWindow = (now: number) => number;

/**
 * Whether the provider's window slides is not documented, nor whether a refused request counts; hence both, for both.
 */
export function createRateWindow(kind: WindowKind, rate: Rate, refusalsCount = false): RateWindow {
  return kind === 'sliding' ? slidingWindow(rate, refusalsCount) : fixedWindow(rate, refusalsCount);
}

/** Full when the request `max` places ago is younger than the window: a ring of the last `max` times tells. */
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

/** Opens with the first request after the former one ended, as INCR and EXPIRE do. */
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
    // A counter that a refusal restarts never opens again for who keeps knocking.
    if (refusalsCount) endsAt = now + windowMs;
    return endsAt - now;
  };
}
