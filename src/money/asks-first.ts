import type { Config } from '../config.ts';
import { budgetCredits, capped } from './budget.ts';
import { costOf } from './estimate.ts';
import type { Prices } from './prices.ts';

/**
 * Whether spending what these cost needs a confirmation (a question, or `--yes`). The budget caps what can be spent. An unknown
 * cost always needs one.
 */
export function asksFirst(
  byModel: Readonly<Record<string, number>>,
  prices: Prices,
  { budget, confirmCredits }: Pick<Config, 'budget' | 'confirmCredits'>,
): boolean {
  if (costOf(byModel, prices).credits === undefined) return true;
  return capped(byModel, prices, budgetCredits(budget, prices)) > confirmCredits;
}
