import { pMapIterable } from 'p-map';
import { layout } from '../archive/layout.ts';
import { READ_AHEAD } from '../archive/read-records.ts';
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
import { plain, plural, say, shorten } from '../text/terminal.ts';
import type { Connections } from '../wiring/connections.ts';

/** The summary names this many failures and counts the rest. `results` lists them all. */
const MOST_NAMED = 50;
/** Reading more records than these takes a while, and is told. */
const MANY_READS = 2_000;
const MOST_NOTES_SHOWN = 10;

type NamedFailure = {
  id: string;
  name: string;
  class: string;
  message: string;
  state: 'failed' | 'held' | 'unreadable';
  /** Where in the archive the bytes are that were not accepted as an image. */
  kept?: string;
  /** The manifest does not have it any more. */
  former?: true;
};

/**
 * The summary of a run: `lines` for a person, `json` for `--json`, which lists every failure only with `listsAll`. `allArchived`:
 * every item of the manifest is archived, and every record of the batch can be read.
 */
export async function summarize(
  batch: string,
  connections: Pick<Connections, 'state' | 'records' | 'spending' | 'archive' | 'prices' | 'config'>,
  provider: Provider,
  end: BatchEnd,
  opening: Opening,
  listsAll: boolean,
): Promise<{ lines: string[]; json: object; allArchived: boolean }> {
  const { counts } = end;
  const former = await connections.state.former(batch);
  const { named, unread } = await namedFailures(batch, connections, former, listsAll);
  const notes = await connections.state.notes(batch);
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
    notes: Object.fromEntries(notes),
  };
  const more = Math.max(0, named.length - MOST_NAMED) + unread;
  const lines = [
    '',
    `${batch}: ${counts.items.archived} of ${plural(counts.total, 'image')} archived in ${formatDuration(Date.now() - end.startedAt)}, ${spent} credits spent`,
    ...named.slice(0, MOST_NAMED).map(lineOf),
    ...(more > 0 ? [`  … and ${more} more: flux-batch results ${batch}`] : []),
    ...describeNotes(batch, notes),
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

function lineOf({ state, name, class: failureClass, message, id, kept, former }: NamedFailure): string {
  const why = `${failureClass}: ${shorten(plain(message), 160)}`;
  const where = kept === undefined ? '' : `; bytes kept in ${kept}`;
  return `  ${state.padEnd(6)}  ${plain(name)}  ${why}${where}  [${id}]${former ? '  not in this manifest any more' : ''}`;
}

/** Images that are archived and not as they were asked for. */
function describeNotes(batch: string, notes: ReadonlyMap<string, string>): string[] {
  if (notes.size === 0) return [];
  const shown = [...notes].slice(0, MOST_NOTES_SHOWN);
  const rest = notes.size - shown.length;
  return [
    `${plural(notes.size, 'image')} archived, but not quite as asked for:`,
    ...shown.map(([id, note]) => `  ${shorten(plain(note), 160)}  [${id}]`),
    ...(rest > 0 ? [`  … and ${rest} more: flux-batch results ${batch}`] : []),
  ];
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

/** `unread`: how many more have failed, beyond those that are named. */
async function namedFailures(
  batch: string,
  { state, records }: Pick<Connections, 'state' | 'records'>,
  former: ReadonlyMap<string, ItemState>,
  listsAll: boolean,
): Promise<{ named: NamedFailure[]; unread: number }> {
  const { ids, unread } = await idsToName(batch, state, listsAll);
  if (ids.length > MANY_READS) say(`${batch}: reading the records of ${ids.length} failed and held items`);
  const read = (id: string) =>
    records.read(batch, id).then(
      (record) => (record ? failureOf(record) : []),
      (error: unknown) => [unreadableItem(id, messageOf(error))],
    );
  const named = new Map<string, NamedFailure>();
  const add = (failure: NamedFailure) =>
    named.set(failure.id, { ...failure, ...(former.has(failure.id) && { former: true }) });
  for await (const failures of pMapIterable(ids, read, { concurrency: READ_AHEAD })) failures.forEach(add);
  for (const [id, message] of await state.unreadable(batch)) add(unreadableItem(id, message));
  return { named: [...named.values()].sort((a, b) => (a.name < b.name ? -1 : 1)), unread };
}

/**
 * For people only the first ones are read. Ids begin with names, so these are the first by name. All that is held is read: by its
 * class it may have been charged.
 */
async function idsToName(batch: string, state: Connections['state'], listsAll: boolean) {
  const held: string[] = [];
  const failed: string[] = [];
  const { items } = (await state.counts(batch)) ?? {};
  if (items && items.failed + items.held === 0) return { ids: [], unread: 0 };
  for await (const [id, at] of state.statesIn(batch, ['failed', 'held'])) (at === 'held' ? held : failed).push(id);
  failed.sort();
  const ids = [...held, ...(listsAll ? failed : failed.slice(0, MOST_NAMED))];
  return { ids, unread: held.length + failed.length - ids.length };
}

function unreadableItem(id: string, message: string): NamedFailure {
  return { id, name: id, state: 'unreadable', class: 'record-corrupt', message };
}

function failureOf(record: ItemRecord): NamedFailure[] {
  if (record.state !== 'failed' && record.state !== 'held') return [];
  const { id, name, state, failure } = record;
  const kept = record.state === 'failed' && record.refused ? { kept: record.refused.key } : {};
  return [{ id, name, state, class: failure.class, message: failure.message, ...kept }];
}
