import type { Config } from '../config.ts';
import type { Cost } from '../money/estimate.ts';

/** Whether so much may be spent only after a question, or with `--yes`. Never more than the budget is spent. */
export function asksFirst(
  { credits }: Cost,
  { budgetCredits, confirmCredits }: Pick<Config, 'budgetCredits' | 'confirmCredits'>,
): boolean {
  return credits === undefined || Math.min(credits, budgetCredits ?? credits) > confirmCredits;
}
