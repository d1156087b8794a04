import type { Config } from '../config.ts';
import type { Cost } from './estimate.ts';

/**
 * Whether spending this much needs a confirmation (a question, or `--yes`). The budget caps what can be spent. An unknown
 * cost always needs one.
 */
export function asksFirst(
  { credits }: Cost,
  { budgetCredits, confirmCredits }: Pick<Config, 'budgetCredits' | 'confirmCredits'>,
): boolean {
  return credits === undefined || Math.min(credits, budgetCredits ?? credits) > confirmCredits;
}
