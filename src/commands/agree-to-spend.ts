import type { BatchLook } from '../batch/batch-look.ts';
import { leftInQueue } from '../batch/left-waiting.ts';
import { submitsToCome } from '../batch/submits-to-come.ts';
import { UsageError } from '../errors.ts';
import type { NewItem } from '../items/item.ts';
import { STDIN } from '../manifest/load.ts';
import { expand, type Manifest, type Totals } from '../manifest/manifest.ts';
import { isPart } from '../manifest/selection.ts';
import { type Cost, costOf, countOf, together } from '../money/estimate.ts';
import { plural, say } from '../text/terminal.ts';
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
  connections: Pick<Connections, 'archive' | 'config' | 'prices' | 'clock' | 'records' | 'state'> & {
    look?: BatchLook;
  },
  { batch, items, byModel, stdinIsTaken }: Spending,
  flags: { yes?: true },
): Promise<boolean> {
  const { config, prices } = connections;
  const waiting = await leftInQueue(connections, batch, items());
  tellWaiting(batch, waiting, costOf(waiting, prices));
  if (flags.yes || !asksFirst(costOf(together(byModel, waiting), prices), config)) return true;
  const left = together(await submitsToCome(connections, batch, items()), waiting);
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

/** They are paid for too, whatever the manifest says now. */
function tellWaiting(batch: string, waiting: Readonly<Record<string, number>>, { credits }: Cost): void {
  const count = countOf(waiting);
  if (count === 0) return;
  const price = credits === undefined ? '' : `, for ${credits.toLocaleString('en-US')} credits`;
  say(
    `note: ${batch}: ${plural(count, 'item')} of earlier runs that ${count === 1 ? 'is' : 'are'} not asked for now ${count === 1 ? 'waits' : 'wait'} and will be made too${price}; flux-batch cancel ${batch} ends what waits`,
  );
}

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
