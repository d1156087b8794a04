import type { DropPlan } from './report.ts';
import { priceOf } from './report.ts';

/** What a drop may do without a person. Credits. */
export type Allowance = { each: number; aDay: number | undefined };

/** Why a drop waits for a person, if it does. The day's sum is asked for apart: others reserve of it at the same time. */
export function reasonToWait(plan: DropPlan, { each }: Pick<Allowance, 'each'>): string | undefined {
  if (plan.toMake === 0) return undefined;
  if (plan.lost > 0) return `${plan.lost} items that had ended are gone from the archive, and would be paid for again`;
  if (plan.credits === null) return 'what it costs is not known: a model has no price (FLUX_PRICES)';
  if (plan.credits > each)
    return `it costs ${priceOf(plan)}, more than the ${each} that one drop may cost (--budget-each)`;
  if (plan.isMuchMadeAgain) {
    return `${plan.madeAgain} of ${plan.recorded} archived images would be made, and paid for, again`;
  }
  return undefined;
}

export function reasonOfDay(plan: DropPlan, aDay: number): string {
  return `it costs ${priceOf(plan)}, and the day's ${aDay} would be passed (--budget-total)`;
}
