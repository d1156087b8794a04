import { UsageError } from '../errors.ts';
import { costOf } from './estimate.ts';
import { PRICES_FILE } from './load-prices.ts';
import type { Prices } from './prices.ts';

/** Throws a UsageError (`price-missing`): what an image costs must be known to keep a budget. */
export function requirePrices(
  byModel: Readonly<Record<string, number>>,
  prices: Prices,
  config: { budgetCredits: number | undefined; pricesFile: string | undefined },
): void {
  const { unpriced } = costOf(byModel, prices);
  if (config.budgetCredits === undefined || unpriced.length === 0) return;
  const file = config.pricesFile ?? PRICES_FILE.pathname;
  throw new UsageError('price-missing', `No price for ${unpriced.join(', ')} in ${file}: the budget cannot be kept`, {
    hint: 'Add it there, or name another file in FLUX_PRICES, or leave out BUDGET_CREDITS.',
  });
}
