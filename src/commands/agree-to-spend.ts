import { submitsToCome } from '../batch/submits-to-come.ts';
import { UsageError } from '../errors.ts';
import type { NewItem } from '../items/item.ts';
import { STDIN } from '../manifest/load.ts';
import { expand, type Manifest, type Totals } from '../manifest/manifest.ts';
import { isPart } from '../manifest/selection.ts';
import { type Cost, costOf } from '../money/estimate.ts';
import type { Connections } from '../wiring/connections.ts';
import { agrees, canAsk } from './ask.ts';
import { asksFirst } from './asks-first.ts';

export type Spending = {
  batch: string;
  items: () => AsyncIterable<NewItem>;
  /** Items of the whole manifest, by model. */
  byModel: Readonly<Record<string, number>>;
  /** Only a part of the manifest is wanted. */
  isPart: boolean;
  /** The manifest is read from stdin, so an answer cannot be. */
  stdinIsTaken: boolean;
};

export function spendingOf(manifest: Manifest, { byModel }: Totals): Spending {
  const { batch, file, selection } = manifest;
  return { batch, items: () => expand(manifest), byModel, isPart: isPart(selection), stdinIsTaken: file === STDIN };
}

/**
 * Asks a person for confirmation before more than CONFIRM_CREDITS are spent. Only items that are not submitted yet count,
 * and the budget caps the amount. Returns true without asking below that amount, or with `--yes`. Throws a UsageError
 * (`spending-unconfirmed`) if nobody can be asked.
 */
export async function agreesToSpend(
  connections: Pick<Connections, 'config' | 'prices' | 'clock' | 'records' | 'state'>,
  { batch, items, byModel, stdinIsTaken }: Spending,
  flags: { yes?: true },
): Promise<boolean> {
  const { config, prices } = connections;
  if (flags.yes || !asksFirst(costOf(byModel, prices), config)) return true;
  const left = await submitsToCome(connections, batch, items());
  const cost = costOf(left, prices);
  if (!asksFirst(cost, config)) return true;

  const what = describeSpending(left, cost, config);
  if (stdinIsTaken || !canAsk()) {
    throw new UsageError(
      'spending-unconfirmed',
      `${batch}: ${what}, more than CONFIRM_CREDITS=${config.confirmCredits}`,
      {
        hint: stdinIsTaken
          ? 'The answer cannot be read from stdin, where the manifest is: say --yes, or set a higher CONFIRM_CREDITS.'
          : 'Nobody is here to be asked: say --yes, or set a higher CONFIRM_CREDITS.',
      },
    );
  }
  return agrees(`${batch}: ${what}. Go on?`, flags);
}

/** `120 to submit for 960 credits, about $4.80`. Names the budget too if it is lower. */
export function describeSpending(
  byModel: Readonly<Record<string, number>>,
  cost: Cost,
  { budgetCredits }: { budgetCredits: number | undefined },
): string {
  const count = Object.values(byModel).reduce((sum, items) => sum + items, 0);
  const submits = `${count.toLocaleString('en-US')} to submit`;
  if (cost.credits === undefined)
    return `${submits} at a cost that is not known: no price for ${cost.unpriced.join(', ')}`;
  const price = `${submits} for ${cost.credits.toLocaleString('en-US')} credits, about $${(cost.usd ?? 0).toFixed(2)}`;
  return budgetCredits !== undefined && budgetCredits < cost.credits
    ? `${price}, up to the budget of ${budgetCredits}`
    : price;
}
