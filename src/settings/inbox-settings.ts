import type { Amount } from '../money/amount.ts';
import type { Variables } from './variables.ts';

/** Where manifests are dropped, and what may be spent without a person. */
export type InboxConfig = Readonly<{
  /** A folder or `s3://bucket/prefix`. */
  url: string | undefined;
  /** What one drop, and all of a day (UTC), may cost. */
  budgetEach: Amount | undefined;
  budgetTotal: Amount | undefined;
  /** A file in a folder is whole when it has not changed for so long. */
  restMs: number;
}>;

export function inboxSettings(values: Variables): InboxConfig {
  return {
    url: values.INBOX_URL,
    budgetEach: values.INBOX_BUDGET_EACH,
    budgetTotal: values.INBOX_BUDGET_TOTAL,
    restMs: values.INBOX_REST,
  };
}
