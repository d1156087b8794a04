import pLimit from 'p-limit';
import { readRecords } from '../batch/read-records.ts';
import { UsageError } from '../errors.ts';
import type { BatchCounts } from '../fleet/batch-state.ts';
import { chargesOf } from '../items/charges.ts';
import type { Item } from '../items/item.ts';
import { reconcile } from '../items/reconcile.ts';
import { plural } from '../text/terminal.ts';
import type { Connections } from '../wiring/connections.ts';
import { costOf } from './estimate.ts';
import { PRICES_FILE, type Prices } from './prices.ts';

const CHUNK = 500;
const RECORD_READS = 32;

/** Throws a UsageError (`price-missing`): what an image costs must be known to keep a budget. */
export function requirePrices(
  byModel: Readonly<Record<string, number>>,
  prices: Prices,
  config: { budgetCredits: number | undefined; pricesFile: string | undefined },
): void {
  const { unpriced } = costOf(byModel, prices);
  if (config.budgetCredits === undefined || unpriced.length === 0) return;
  const file = config.pricesFile ?? PRICES_FILE.pathname;
  throw new UsageError('price-missing', `No price for ${unpriced.join(', ')} in ${file}: the budget cannot be kept`, {
    hint: 'Add it there, or name another file in FLUX_PRICES, or leave out BUDGET_CREDITS.',
  });
}

/** Makes sure that all that the archive knows to have been spent counts, also when Redis was emptied. */
export async function recountCharges({ records, spending, prices }: Connections, batch: string): Promise<void> {
  if (await spending.isAccounted(batch)) return;
  for await (const some of readRecords(records, records.list(batch), batch, CHUNK)) {
    await spending.account(
      batch,
      some.map((record) => chargesOf(record, prices)),
    );
  }
  await spending.noteAccounted(batch);
}

/** How many items of each model enqueueing would submit now; what has ended or runs is not among them. */
export async function submitsToCome(
  { config, clock, records, state }: Connections,
  batch: string,
  items: AsyncIterable<Omit<Item, 'queuedAt'>>,
): Promise<Record<string, number>> {
  const recorded = new Set<string>();
  for await (const id of records.list(batch)) recorded.add(id);
  const limit = pLimit(RECORD_READS);
  const byModel: Record<string, number> = {};

  const countSome = async (some: readonly Omit<Item, 'queuedAt'>[]) => {
    const states = await state.intake.states(
      batch,
      some.map(({ id }) => id),
    );
    const steps = some.map(({ id }, index) =>
      limit(async () => {
        const was = states[index];
        if (recorded.has(id) && was === 'archived') return undefined;
        const record = recorded.has(id) ? await records.read(batch, id) : undefined;
        const { onUnknown, storedTtlMs } = config;
        return reconcile(was, record, { onUnknown, storedTtlMs, now: clock.now() }).job;
      }),
    );
    for (const [index, job] of (await Promise.all(steps)).entries()) {
      const model = some[index]?.request.model;
      if (job === 'submit' && model !== undefined) byModel[model] = (byModel[model] ?? 0) + 1;
    }
  };

  let pending: Omit<Item, 'queuedAt'>[] = [];
  for await (const item of items) {
    pending.push(item);
    if (pending.length < CHUNK) continue;
    await countSome(pending);
    pending = [];
  }
  if (pending.length > 0) await countSome(pending);
  return byModel;
}

/** Everything else has ended, and what is left costs more than the budget has room for. */
export function isOutOfBudget({ sealed, items, beyond }: BatchCounts): boolean {
  const underWay = items.submitting + items.submitted + items.finished;
  return sealed && underWay === 0 && items.queued > 0 && beyond.items >= items.queued;
}

/** What a person needs who is to decide on more. */
export function describeOutOfBudget({ credits, maybe, budget, items, beyond }: BatchCounts): string[] {
  const bound = `${credits} credits spent${maybe > 0 ? ` and ${maybe} perhaps, for submits of which nobody knows` : ''}`;
  return [
    `out of budget: ${bound}, of ${budget}; ${plural(items.queued, 'item')} left, which would cost ${beyond.credits} credits`,
    `  --budget ${credits + maybe + beyond.credits} (or BUDGET_CREDITS) and the same command go on`,
  ];
}
