import { UsageError } from '../errors.ts';
import { ACCOUNTS, type Account, accountOf } from '../items/item.ts';
import type { Amount, Budget } from './amount.ts';
import { costOf } from './estimate.ts';
import { PRICES_FILE } from './load-prices.ts';
import { inDefaultCredits, kindsIn, type Prices, providerOfKind } from './prices.ts';

/** What may be spent, in credits of the default provider: of all accounts together, and of single ones. */
export type BudgetCredits = { all?: number; accounts?: Readonly<Partial<Record<Account, number>>> };

/** Undefined without any. */
export function budgetCredits(budget: Budget | undefined, prices: Prices): BudgetCredits | undefined {
  if (!budget) return undefined;
  const { all, accounts } = budget;
  const each = ACCOUNTS.flatMap((account): [Account, number][] => {
    const amount = accounts[account];
    return amount ? [[account, creditsIn(amount, prices, account)]] : [];
  });
  return {
    ...(all && { all: creditsIn(all, prices) }),
    ...(each.length > 0 && { accounts: Object.fromEntries(each) }),
  };
}

/** An amount of credits is in those of the account. */
export function creditsIn({ amount, unit }: Amount, prices: Prices, account: Account = 'kie'): number {
  if (unit === 'credits') return inDefaultCredits(prices, account, amount);
  return Math.round((amount / prices.usdPerCredit) * 1e6) / 1e6;
}

/** The most that may come of this cost: each account up to its own budget, and all up to that of all. */
export function capped(byModel: Readonly<Record<string, number>>, prices: Prices, budget: BudgetCredits = {}): number {
  const { all = Infinity, accounts = {} } = budget;
  // What several may make may come to each of them whole, and to all together no more than at its dearest.
  const sums = ACCOUNTS.map((account) => {
    const { credits = Infinity } = costOf(ofAccount(byModel, account), prices);
    return Math.min(credits, accounts[account] ?? Infinity);
  });
  const { credits = Infinity, atMost } = costOf(byModel, prices);
  return Math.min(
    ...[all, atMost?.credits ?? credits],
    sums.reduce((sum, each) => sum + each, 0),
  );
}

/** Whether it is enough for all of these: wherever they are made, or only if each is made by the provider that it prefers. */
export function fitsBudget(
  byModel: Readonly<Record<string, number>>,
  prices: Prices,
  { all = Infinity, accounts = {} }: BudgetCredits,
): 'wherever' | 'at-first' | 'no' {
  const creditsOf = (kinds: Readonly<Record<string, number>>) => costOf(kinds, prices).credits ?? Infinity;
  const hasRoom = (kinds: Readonly<Record<string, number>>, most: number) =>
    most <= all && ACCOUNTS.every((account) => creditsOf(ofAccount(kinds, account)) <= (accounts[account] ?? Infinity));
  const { credits = Infinity, atMost } = costOf(byModel, prices);
  if (hasRoom(byModel, atMost?.credits ?? credits)) return 'wherever';
  const atFirst: Record<string, number> = {};
  for (const [kind, count] of Object.entries(byModel)) {
    const [preferred = kind] = kindsIn(kind);
    atFirst[preferred] = (atFirst[preferred] ?? 0) + count;
  }
  return hasRoom(atFirst, credits) ? 'at-first' : 'no';
}

/** What may be made in an account, of what may be made elsewhere too the kind that it would be there. */
function ofAccount(byModel: Readonly<Record<string, number>>, account: Account): Record<string, number> {
  const own: Record<string, number> = {};
  for (const [kind, count] of Object.entries(byModel)) {
    const there = kindsIn(kind).find((one) => accountOf(providerOfKind(one)) === account);
    if (there !== undefined) own[there] = (own[there] ?? 0) + count;
  }
  return own;
}

/** `2,500 credits ($12.50)`; with accounts: `2,500 credits ($12.50), of bfl 300 of its credits ($3.00)`. */
export function describeBudget({ all, accounts = {} }: BudgetCredits, prices: Prices): string {
  const usd = (credits: number) => `$${(credits * prices.usdPerCredit).toFixed(2)}`;
  const figure = (credits: number) => credits.toLocaleString('en-US');
  const each = ACCOUNTS.flatMap((account) => {
    const credits = accounts[account];
    return credits === undefined ? [] : [`of ${account} ${figure(credits)} credits (${usd(credits)})`];
  });
  return [...(all === undefined ? [] : [`${figure(all)} credits (${usd(all)})`]), ...each].join(', ');
}

/** Throws a UsageError (`price-missing`): what an image costs must be known to keep a budget. */
export function requirePrices(
  byModel: Readonly<Record<string, number>>,
  prices: Prices,
  config: { budget: Budget | undefined; pricesFile: string | undefined },
): void {
  const { unpriced } = costOf(byModel, prices);
  if (config.budget === undefined || unpriced.length === 0) return;
  const file = config.pricesFile ?? PRICES_FILE.pathname;
  throw new UsageError('price-missing', `No price for ${unpriced.join(', ')} in ${file}: the budget cannot be kept`, {
    hint: 'Add it there, or name another file in FLUX_PRICES, or leave out BUDGET_CREDITS.',
  });
}
