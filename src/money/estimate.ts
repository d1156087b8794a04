import type { ProviderName } from '../items/item.ts';
import type { Rate } from '../text/duration.ts';
import { creditsOf, kindsIn, type Prices, providerOfKind } from './prices.ts';

/**
 * What items will cost, each at the provider that it prefers: `credits` and `usd` are undefined when a model has no price. `atMost`: if
 * each is made by its dearest one, where that is more; `by` names those.
 */
export type Cost = { credits: number | undefined; usd: number | undefined; unpriced: string[]; atMost?: AtMost };
type AtMost = { credits: number; usd: number; by: ProviderName[] };

export function costOf(byModel: Readonly<Record<string, number>>, prices: Prices): Cost {
  const kinds = [...new Set(Object.keys(byModel).flatMap(kindsIn))];
  const unpriced = kinds.filter((model) => creditsOf(prices, model) === undefined);
  if (unpriced.length > 0) return { credits: undefined, usd: undefined, unpriced };
  const sumOf = (priced: (kind: string) => string) =>
    Object.entries(byModel).reduce((sum, [kind, count]) => sum + count * (creditsOf(prices, priced(kind)) ?? 0), 0);
  const credits = sumOf((kind) => kind);
  const most = sumOf((kind) => dearestIn(kind, prices));
  const usd = (amount: number) => amount * prices.usdPerCredit;
  const dearer = Object.keys(byModel).flatMap((kind) => {
    const dearest = dearestIn(kind, prices);
    return kindsIn(kind)[0] === dearest ? [] : [providerOfKind(dearest)];
  });
  const atMost = { credits: most, usd: usd(most), by: [...new Set(dearer)] };
  return { credits, usd: usd(credits), unpriced, ...(most > credits && { atMost }) };
}

/** Of several kinds the dearest, the preferred one among equals. */
export function dearestIn(kind: string, prices: Prices): string {
  const priceOf = (one: string) => creditsOf(prices, one) ?? 0;
  return kindsIn(kind).reduce((dearest, one) => (priceOf(one) > priceOf(dearest) ? one : dearest));
}

/** `at most 96 credits, about $0.48, if all that may be made by bfl is`; undefined where no choice makes it dearer. */
export function describeAtMost({ atMost }: Cost): string | undefined {
  if (!atMost) return undefined;
  const { credits, usd, by } = atMost;
  return `at most ${credits.toLocaleString('en-US')} credits, about $${usd.toFixed(2)}, if all that may go to ${by.join(' or ')} does`;
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
