import type { Rate } from '../text/duration.ts';
import { creditsOf, type Prices } from './prices.ts';

/** What items will cost: `credits` and `usd` are undefined when a model has no price. */
export type Cost = { credits: number | undefined; usd: number | undefined; unpriced: string[] };

export function costOf(byModel: Readonly<Record<string, number>>, prices: Prices): Cost {
  const unpriced = Object.keys(byModel).filter((model) => creditsOf(prices, model) === undefined);
  if (unpriced.length > 0) return { credits: undefined, usd: undefined, unpriced };
  const credits = Object.entries(byModel).reduce(
    (sum, [model, count]) => sum + count * (creditsOf(prices, model) ?? 0),
    0,
  );
  return { credits, usd: credits * prices.usdPerCredit, unpriced };
}

/** The least time in milliseconds in which the provider permits so many submits. The first window's worth goes at once. */
export function submitTimeMs(items: number, { max, windowMs }: Rate): number {
  return Math.max(0, Math.ceil(items / max) - 1) * windowMs;
}

export function countOf(byModel: Readonly<Record<string, number>>): number {
  return Object.values(byModel).reduce((sum, count) => sum + count, 0);
}

/** Both counts of each model in one. */
export function together(
  some: Readonly<Record<string, number>>,
  others: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum = { ...some };
  for (const [model, count] of Object.entries(others)) sum[model] = (sum[model] ?? 0) + count;
  return sum;
}
