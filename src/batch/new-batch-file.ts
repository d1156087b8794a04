import type { BatchFile } from '../archive/batch-file.ts';
import type { Config } from '../config.ts';
import { type BudgetCredits, describeBudget } from '../money/budget.ts';
import type { Prices } from '../money/prices.ts';
import { formatRate } from '../text/duration.ts';

type Facts = {
  config: Pick<Config, 'apiUrl' | 'rateLimit' | 'onUnknown'>;
  budget: BudgetCredits | undefined;
  prices: Prices;
  /** Of the manifest. */
  digest: string;
  /** Epoch milliseconds. */
  createdAt: number;
};

/** The file of a batch that has not ended. */
export function newBatchFile(batch: string, { config, budget, prices, digest, createdAt }: Facts): BatchFile {
  const { apiUrl, rateLimit, onUnknown } = config;
  return {
    version: 1,
    batch,
    manifestDigest: digest,
    created: new Date(createdAt).toISOString(),
    settings: {
      apiUrl,
      rateLimit: formatRate(rateLimit),
      onUnknown,
      ...(budget?.all !== undefined && { budgetCredits: budget.all }),
      ...(budget?.accounts && { budgetOfAccounts: budget.accounts }),
      ...(budget && { budget: describeBudget(budget, prices) }),
    },
  };
}

/** As a batch's file has it. */
export function budgetIn(file: BatchFile | undefined): BudgetCredits | undefined {
  const { budgetCredits: all, budgetOfAccounts: accounts } = file?.settings ?? {};
  if (all === undefined && !accounts) return undefined;
  return { ...(all !== undefined && { all }), ...(accounts && { accounts }) };
}
