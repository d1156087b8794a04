import { layout } from '../archive/layout.ts';
import { type BatchCounts, doneOf, isOutOfBudget } from '../batch/counts.ts';
import { messageOf } from '../errors.ts';
import { describeBreaker } from '../fleet/describe-breaker.ts';
import type { ItemState } from '../items/item-state.ts';
import type { ItemRecord } from '../items/record.ts';
import { closeBooks, describeBalance, type Opening, unaccounted } from '../money/balance.ts';
import type { BatchEnd } from '../progress/watch.ts';
import type { Provider } from '../provider/provider.ts';
import { formatDuration } from '../text/duration.ts';
import { plain, plural, shorten } from '../text/terminal.ts';
import type { Connections } from '../wiring/connections.ts';

/** The summary names this many failures and counts the rest. `results` lists them all. */
const MOST_NAMED = 50;

type NamedFailure = { id: string; name: string; class: string; message: string; state: 'failed' | 'held' };

/** The summary of a run: `lines` for a person, `json` for `--json`. */
export async function summarize(
  batch: string,
  connections: Pick<Connections, 'state' | 'records' | 'spending' | 'archive' | 'prices'>,
  provider: Provider,
  end: BatchEnd,
  opening: Opening,
): Promise<{ lines: string[]; json: object }> {
  const { counts } = end;
  const named = await namedFailures(batch, connections);
  const spent = counts.credits - opening.known;
  const doubtful = named.filter((item) => item.class === 'unknown-outcome').length;
  const balance = await closeBooks(connections, provider, batch, opening, doubtful);
  const outOfBudget = isOutOfBudget(counts);
  const unfinished = counts.total - doneOf(counts);
  const json = {
    batch,
    ended: end.ended,
    archive: connections.archive.url,
    items: counts.items,
    total: counts.total,
    submits: counts.submits - (end.before?.submits ?? 0),
    credits: spent,
    budget: counts.budget ?? null,
    beyondBudget: counts.overBudget,
    balance: balance ? { ...balance, unaccounted: unaccounted(balance) } : null,
    stopped: outOfBudget ? 'out-of-budget' : (end.breaker?.refusal ?? null),
    failures: named,
  };
  const lines = [
    '',
    `${batch}: ${counts.items.archived} of ${plural(counts.total, 'image')} archived in ${formatDuration(Date.now() - end.startedAt)}, ${spent} credits spent`,
    ...named
      .slice(0, MOST_NAMED)
      .map(
        (item) =>
          `  ${item.state.padEnd(6)}  ${plain(item.name)}  ${item.class}: ${shorten(plain(item.message), 160)}  [${item.id}]`,
      ),
    ...(named.length > MOST_NAMED ? [`  … and ${named.length - MOST_NAMED} more: flux-batch results ${batch}`] : []),
    ...(balance ? [describeBalance(balance, connections.prices.date)] : []),
    ...(end.breaker ? describeBreaker(end.breaker, Date.now()) : []),
    ...(outOfBudget ? describeOutOfBudget(counts) : []),
    ...(unfinished > 0 && !outOfBudget
      ? [`${plural(unfinished, 'item')} not done yet: run the same command again to go on`]
      : []),
    `archive: ${placeOf(connections.archive.url, batch)}`,
  ];
  return { lines, json };
}

/** Says what was spent, what is left to pay for, and which budget would cover it. */
function describeOutOfBudget({ credits, unsettled, budget, items, overBudget }: BatchCounts): string[] {
  const doubt = unsettled > 0 ? ` and ${unsettled} perhaps, for submits of which nobody knows` : '';
  const price = `${plural(items.queued, 'item')} left, which would cost ${overBudget.credits} credits`;
  return [
    `out of budget: ${credits} credits spent${doubt}, of ${budget}; ${price}`,
    `  --budget ${credits + unsettled + overBudget.credits} (or BUDGET_CREDITS) and the same command go on`,
  ];
}

function placeOf(archiveUrl: string, batch: string): string {
  return `${archiveUrl.replace(/\/$/, '')}/${layout.batch(batch).split('/')[0]}/`;
}

async function namedFailures(
  batch: string,
  { state, records }: Pick<Connections, 'state' | 'records'>,
): Promise<NamedFailure[]> {
  const states = ['failed', 'held'] as const satisfies readonly ItemState[];
  const named: NamedFailure[] = [];
  for await (const id of state.itemsIn(batch, states)) {
    const record = await records.read(batch, id).catch((error: unknown) => messageOf(error));
    if (typeof record === 'string')
      named.push({ id, name: id, state: 'failed', class: 'record-corrupt', message: record });
    else if (record) named.push(...failureOf(record));
  }
  return named.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function failureOf(record: ItemRecord): NamedFailure[] {
  if (record.state !== 'failed' && record.state !== 'held') return [];
  const { id, name, state, failure } = record;
  return [{ id, name, state, class: failure.class, message: failure.message }];
}
