import { type Cost, countOf } from './estimate.ts';

/** `120 to submit for 960 credits, about $4.80`. Names the budget too if it is lower. */
export function describeSpending(
  byModel: Readonly<Record<string, number>>,
  cost: Cost,
  { budgetCredits }: { budgetCredits: number | undefined },
): string {
  const count = countOf(byModel);
  const submits = `${count.toLocaleString('en-US')} to submit`;
  if (cost.credits === undefined)
    return `${submits} at a cost that is not known: no price for ${cost.unpriced.join(', ')}`;
  const price = `${submits} for ${cost.credits.toLocaleString('en-US')} credits, about $${(cost.usd ?? 0).toFixed(2)}`;
  return budgetCredits !== undefined && budgetCredits < cost.credits
    ? `${price}, up to the budget of ${budgetCredits}`
    : price;
}
