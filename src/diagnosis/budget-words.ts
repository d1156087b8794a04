import type { BatchCounts } from '../batch/counts.ts';

/** `2,500`, or `2,500, and 600 of bfl`. All in credits of the default provider. */
export function budgetWords({ budget, accounts = {} }: BatchCounts): string {
  const each = Object.entries(accounts).map(([account, { budget: own }]) => `${figure(own)} of ${account}`);
  return [...(budget === undefined ? [] : [figure(budget)]), ...each].join(', and ');
}

/** `480 of 2,500 credits ($2.40 of $12.50); of bfl 24 of 600`. Without what a credit is worth, no USD are told. */
export function spentWords({ credits, budget, accounts = {} }: BatchCounts, usdPerCredit?: number): string {
  const worth = (some: number) => `$${(some * (usdPerCredit ?? 0)).toFixed(2)}`;
  const usd = budget === undefined ? worth(credits) : `${worth(credits)} of ${worth(budget)}`;
  const all = budget === undefined ? figure(credits) : `${figure(credits)} of ${figure(budget)}`;
  const each = Object.entries(accounts).map(
    ([account, own]) => `; of ${account} ${figure(own.credits)} of ${figure(own.budget)}`,
  );
  return `${all} credits${usdPerCredit === undefined ? '' : ` (${usd})`}${each.join('')}`;
}

/** What lets items go on that the budget has no room for. */
export function largerBudget({ credits, unsettled, overBudget, accounts }: BatchCounts): string {
  const larger = accounts
    ? `a larger --budget (${Object.keys(accounts).join(', ')} and all are held to their own)`
    : `--budget ${rounded(credits + unsettled + overBudget.credits)}`;
  return `${larger} (or BUDGET_CREDITS) and the same command go on`;
}

const rounded = (credits: number) => Math.round(credits * 1e6) / 1e6;
const figure = (credits: number) => rounded(credits).toLocaleString('en-US');
