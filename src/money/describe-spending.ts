import type { Budget } from './amount.ts';
import { budgetCredits, capped, describeBudget } from './budget.ts';
import { costOf, countOf, describeAtMost } from './estimate.ts';
import type { Prices } from './prices.ts';

/** `120 to submit for 960 credits, about $4.80`. Names the budget too if it is lower. */
export function describeSpending(
  byModel: Readonly<Record<string, number>>,
  prices: Prices,
  { budget }: { budget: Budget | undefined },
): string {
  const cost = costOf(byModel, prices);
  const submits = `${countOf(byModel).toLocaleString('en-US')} to submit`;
  if (cost.credits === undefined)
    return `${submits} at a cost that is not known: no price for ${cost.unpriced.join(', ')}`;
  const atFirst = `${submits} for ${cost.credits.toLocaleString('en-US')} credits, about $${(cost.usd ?? 0).toFixed(2)}`;
  const price = [atFirst, describeAtMost(cost)].filter((part) => part !== undefined).join(', ');
  const most = budgetCredits(budget, prices);
  return most && capped(byModel, prices, most) < (cost.atMost?.credits ?? cost.credits)
    ? `${price}, up to the budget of ${describeBudget(most, prices)}`
    : price;
}
