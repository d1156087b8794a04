import { pMapIterable } from 'p-map';
import { openBatchRecords } from '../archive/batch-records.ts';
import { layout } from '../archive/layout.ts';
import { findRecord, READ_AHEAD } from '../archive/read-records.ts';
import { type BatchCounts, doneOf, isOutOfBudget } from '../batch/counts.ts';
import { budgetWords, largerBudget } from '../diagnosis/budget-words.ts';
import { describeFinding } from '../diagnosis/describe.ts';
import { stoppedFinding } from '../diagnosis/stopped.ts';
import { messageOf } from '../errors.ts';
import { tellsOfLost } from '../items/images.ts';
import type { ItemState } from '../items/item-state.ts';
import { type Found, isReadable } from '../items/unreadable.ts';
import { closeBooks, describeBalance, type Opening, unaccounted } from '../money/balance.ts';
import type { JobCost } from '../money/cost-by-job.ts';
import type { BatchEnd } from '../progress/watch.ts';
import type { Provider } from '../provider/provider.ts';
import { formatDuration } from '../text/duration.ts';
import type { Color } from '../text/paint.ts';
import { plain, plural, say, shorten, table } from '../text/terminal.ts';
import type { Connections } from '../wiring/connections.ts';
import { drawSteps, type Ending, nextSteps, type Step } from './next-steps.ts';

/** The summary names this many failures and counts the rest. `results` lists them all. */
const MOST_NAMED = 50;
/** Reading more records than these takes a while, and is told. */
const MANY_READS = 2_000;
const MOST_NOTES_SHOWN = 10;
const MOST_JOBS = 10;

type NamedFailure = {
  id: string;
  name: string;
  class: string;
  message: string;
  state: 'failed' | 'held' | 'unreadable' | 'missing';
  /** Where in the archive the bytes are that were not accepted as an image. */
  kept?: string;
  /** The manifest does not have it any more. */
  former?: true;
};

/** What is known of a run besides how it ended. */
export type Summarized = {
  batch: string;
  /** What the jobs of the manifest have cost so far, all runs together. */
  costByJob: () => Promise<JobCost[]>;
  flags: Ending['flags'];
};

/** `lines` for a person, `headline` the first of them, `json` for `--json`. */
export type Summary = { headline: string; lines: string[]; json: object; steps: Step[]; allArchived: boolean };

type Ports = Pick<Connections, 'state' | 'records' | 'spending' | 'archive' | 'prices' | 'config'>;

/** The summary of a run. `allArchived`: every item of the manifest is archived, and every record of the batch can be read. */
export async function summarize(
  { batch, costByJob, flags }: Summarized,
  connections: Ports,
  provider: Pick<Provider, 'credits'>,
  end: BatchEnd,
  opening: Opening,
): Promise<Summary> {
  const { counts } = end;
  const former = await connections.state.former(batch);
  const named = await namedFailures(batch, connections, former);
  const notes = await connections.state.notes(batch);
  const spent = counts.credits - opening.known;
  const doubtful = named.filter((item) => item.class === 'unknown-outcome').length;
  const balance = await closeBooks(connections, provider, batch, opening, doubtful);
  const outOfBudget = isOutOfBudget(counts);
  const jobs = await costByJob();
  const archive = connections.archive.url;
  const inPart = [...notes.values()].filter(tellsOfLost).length;
  const steps = nextSteps({ batch, archive, archived: counts.items.archived, failures: named, inPart, flags });
  const json = {
    batch,
    ended: end.ended,
    archive,
    items: counts.items,
    total: counts.total,
    submits: counts.submits - (end.before?.submits ?? 0),
    credits: spent,
    budget: counts.budget ?? null,
    beyondBudget: counts.overBudget,
    balance: balance ? { ...balance, unaccounted: unaccounted(balance) } : null,
    stopped: outOfBudget ? 'out-of-budget' : (end.stop?.breaker.refusal ?? end.waitedFor?.finding.kind ?? null),
    failures: named,
    notes: Object.fromEntries(notes),
    jobs,
    next: steps.map(({ command }) => command),
  };
  const there = counts.items.archived - counts.missing;
  const headline = `${batch}: ${there} of ${plural(counts.total, 'image')} archived in ${formatDuration(Date.now() - end.startedAt)}, ${spent} credits spent`;
  const lines = [
    '',
    headline,
    ...named.slice(0, MOST_NAMED).map(lineOf),
    ...(named.length > MOST_NAMED ? [`  … and ${named.length - MOST_NAMED} more: flux-batch results ${batch}`] : []),
    ...describeNotes(batch, notes),
    ...costLines(jobs, connections.prices.usdPerCredit),
    ...(balance ? [describeBalance(balance, connections.prices.date)] : []),
    ...whyNotDone(end),
    `archive: ${placeOf(archive, batch)}`,
    ...drawSteps(steps),
  ];
  const others = [...former.values()].filter((state) => state !== 'archived').length;
  const allArchived = counts.items.archived + others === counts.total && counts.unreadable + counts.missing === 0;
  return { headline, lines, json, steps, allArchived };
}

function whyNotDone({ counts, stop }: BatchEnd): string[] {
  const unfinished = counts.total - doneOf(counts);
  const outOfBudget = isOutOfBudget(counts);
  return [
    ...(stop ? describeFinding(stoppedFinding(stop.breaker, Date.now(), stop.lane), Date.now()) : []),
    ...(outOfBudget ? describeOutOfBudget(counts) : []),
    ...(unfinished > 0 && !outOfBudget
      ? [`${plural(unfinished, 'item')} not done yet: run the same command again to go on`]
      : []),
  ];
}

/** The dearest jobs of several: those of a single one are the run's own. */
function costLines(jobs: readonly JobCost[], usdPerCredit: number): string[] {
  const paid = jobs.filter(({ credits }) => credits > 0).sort((a, b) => b.credits - a.credits);
  if (jobs.length < 2 || paid.length === 0) return [];
  const rows = paid
    .slice(0, MOST_JOBS)
    .map(({ job, items, credits }) => [
      `  ${shorten(plain(job), 40)}`,
      plural(items, 'image'),
      `${credits.toLocaleString('en-US')} credits`,
      `$${(credits * usdPerCredit).toFixed(2)}`,
    ]);
  const more = paid.length > MOST_JOBS ? [`  … and ${paid.length - MOST_JOBS} more`] : [];
  return ['cost by job, all runs together:', ...table(rows), ...more];
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

/** Of a line of the summary: what failed or is held stands out. */
export function colorOf(line: string): Color | undefined {
  if (line.startsWith('  held ')) return 'yellow';
  return /^ {2}(failed|unreadable|missing) /.test(line) ? 'red' : undefined;
}

/** Says what was spent, what is left to pay for, and which budget would cover it. */
function describeOutOfBudget(counts: BatchCounts): string[] {
  const { credits, unsettled, items, overBudget } = counts;
  const doubt = unsettled > 0 ? ` and ${unsettled} perhaps, for submits of which nobody knows` : '';
  const price = `${plural(items.queued, 'item')} left, which would cost ${overBudget.credits} credits`;
  return [
    `out of budget: ${credits} credits spent${doubt}, of ${budgetWords(counts)}; ${price}`,
    `  ${largerBudget(counts)}`,
  ];
}

function placeOf(archiveUrl: string, batch: string): string {
  return `${archiveUrl.replace(/\/$/, '')}/${layout.batch(batch).split('/')[0]}/`;
}

async function namedFailures(
  batch: string,
  { state, archive, records }: Pick<Connections, 'state' | 'archive' | 'records'>,
  former: ReadonlyMap<string, ItemState>,
): Promise<NamedFailure[]> {
  const named = new Map<string, NamedFailure>();
  const add = (failure: NamedFailure) =>
    named.set(failure.id, { ...failure, ...(former.has(failure.id) && { former: true }) });
  const { items } = (await state.counts(batch)) ?? {};
  const count = items ? items.failed + items.held : 0;
  if (count > MANY_READS)
    say(`${batch}: reading the records of ${count.toLocaleString('en-US')} failed and held items`);
  if (count > MANY_READS) {
    const held = await openBatchRecords({ archive, records }, batch);
    for await (const found of held.all()) failureOf(found).forEach(add);
  } else if (count > 0) {
    const read = (id: string) =>
      findRecord(records, batch, id).then(
        (found) => (found ? failureOf(found) : []),
        (error: unknown) => [unreadableItem(id, messageOf(error))],
      );
    const ids = state.itemsIn(batch, ['failed', 'held']);
    for await (const failures of pMapIterable(ids, read, { concurrency: READ_AHEAD })) failures.forEach(add);
  }
  for (const [id, message] of await state.unreadable(batch)) add(unreadableItem(id, message));
  for (const [id, key] of await state.missing(batch))
    add({ id, name: id, state: 'missing', class: 'image-missing', message: `${key} is not in the archive any more` });
  return [...named.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function unreadableItem(id: string, message: string): NamedFailure {
  return { id, name: id, state: 'unreadable', class: 'record-corrupt', message };
}

function failureOf(record: Found): NamedFailure[] {
  if (!isReadable(record)) return [unreadableItem(record.id, record.message)];
  if (record.state !== 'failed' && record.state !== 'held') return [];
  const { id, name, state, failure } = record;
  const kept = record.state === 'failed' && record.refused ? { kept: record.refused.key } : {};
  return [{ id, name, state, class: failure.class, message: failure.message, ...kept }];
}
