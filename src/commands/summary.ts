import { layout } from '../archive/layout.ts';
import { type BatchCounts, doneOf, isOutOfBudget } from '../batch/counts.ts';
import { describeFinding } from '../diagnosis/describe.ts';
import { stoppedFinding } from '../diagnosis/stopped.ts';
import { messageOf } from '../errors.ts';
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

type NamedFailure = {
  id: string;
  name: string;
  class: string;
  message: string;
  state: 'failed' | 'held' | 'unreadable';
  /** The manifest does not have it any more. */
  former?: true;
};

/**
 * The summary of a run: `lines` for a person, `json` for `--json`. `allArchived`: every item of the manifest is archived,
 * and every record of the batch can be read.
 */
export async function summarize(
  batch: string,
  connections: Pick<Connections, 'state' | 'records' | 'spending' | 'archive' | 'prices' | 'config'>,
  provider: Provider,
  end: BatchEnd,
  opening: Opening,
): Promise<{ lines: string[]; json: object; allArchived: boolean }> {
  const { counts } = end;
  const former = await connections.state.former(batch);
  const named = await namedFailures(batch, connections, former);
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
    stopped: outOfBudget ? 'out-of-budget' : (end.breaker?.refusal ?? end.waitedFor?.kind ?? null),
    failures: named,
  };
  const lines = [
    '',
    `${batch}: ${counts.items.archived} of ${plural(counts.total, 'image')} archived in ${formatDuration(Date.now() - end.startedAt)}, ${spent} credits spent`,
    ...named.slice(0, MOST_NAMED).map(lineOf),
    ...(named.length > MOST_NAMED ? [`  … and ${named.length - MOST_NAMED} more: flux-batch results ${batch}`] : []),
    ...(balance ? [describeBalance(balance, connections.prices.date)] : []),
    ...(end.breaker ? describeFinding(stoppedFinding(end.breaker, Date.now()), Date.now()) : []),
    ...(outOfBudget ? describeOutOfBudget(counts) : []),
    ...(unfinished > 0 && !outOfBudget
      ? [`${plural(unfinished, 'item')} not done yet: run the same command again to go on`]
      : []),
    `archive: ${placeOf(connections.archive.url, batch)}`,
  ];
  const others = [...former.values()].filter((state) => state !== 'archived').length;
  const allArchived = counts.items.archived + others === counts.total && counts.unreadable === 0;
  return { lines, json, allArchived };
}

function lineOf({ state, name, class: failureClass, message, id, former }: NamedFailure): string {
  const why = `${failureClass}: ${shorten(plain(message), 160)}`;
  return `  ${state.padEnd(6)}  ${plain(name)}  ${why}  [${id}]${former ? '  not in this manifest any more' : ''}`;
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
  former: ReadonlyMap<string, ItemState>,
): Promise<NamedFailure[]> {
  const states = ['failed', 'held'] as const satisfies readonly ItemState[];
  const named = new Map<string, NamedFailure>();
  const add = (failure: NamedFailure) =>
    named.set(failure.id, { ...failure, ...(former.has(failure.id) && { former: true }) });
  for await (const id of state.itemsIn(batch, states)) {
    const record = await records.read(batch, id).catch((error: unknown) => messageOf(error));
    if (typeof record === 'string') add(unreadableItem(id, record));
    else if (record) failureOf(record).forEach(add);
  }
  for (const [id, message] of await state.unreadable(batch)) add(unreadableItem(id, message));
  return [...named.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function unreadableItem(id: string, message: string): NamedFailure {
  return { id, name: id, state: 'unreadable', class: 'record-corrupt', message };
}

function failureOf(record: ItemRecord): NamedFailure[] {
  if (record.state !== 'failed' && record.state !== 'held') return [];
  const { id, name, state, failure } = record;
  return [{ id, name, state, class: failure.class, message: failure.message }];
}
