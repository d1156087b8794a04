import { once } from 'node:events';
import { Command, Option } from 'commander';
import type { Archive } from '../archive/archive.ts';
import { FEWEST_TO_COVER } from '../archive/batch-records.ts';
import { layout } from '../archive/layout.ts';
import { recordsIn } from '../archive/records.ts';
import { loadConfig } from '../config.ts';
import { messageOf, UsageError } from '../errors.ts';
import { isReadable, type Unreadable } from '../items/unreadable.ts';
import { loadPrices } from '../money/load-prices.ts';
import { type ArchivedBatch, archivedBatch } from '../results/archived-batch.ts';
import { collect } from '../results/collect.ts';
import { collectProgress } from '../results/collect-progress.ts';
import { namedById, namedForPeople } from '../results/file-names.ts';
import { FORMATS, type Format, formatRows } from '../results/format.ts';
import { type ImageCheck, openImageCheck } from '../results/missing-images.ts';
import { refreshIndex } from '../results/refresh-index.ts';
import { type Row, rowOf } from '../results/row.ts';
import { digested, type RowsDigest, rowsDigest } from '../results/rows-digest.ts';
import { type Listed, listedItems, ORDERS, type Order, type StandingPorts } from '../results/standings.ts';
import { parseWhere, type Where } from '../results/where.ts';
import { writeIndex, writeIndexFiles } from '../results/write-index.ts';
import { plain, say } from '../text/terminal.ts';
import { openClosers } from '../wiring/closers.ts';
import { openArchiveOf } from '../wiring/connections.ts';
import { EXIT } from './exit-codes.ts';
import { type ConfigFlags, overridesOf, withConfigOptions } from './options.ts';
import { bringShards } from './results-shards.ts';
import { onStopSignals } from './signals.ts';
import { ofTarget, openTarget } from './target-folder.ts';
import { tellMissing } from './tell-missing.ts';
import { tellUnreadable } from './tell-unreadable.ts';

const EXAMPLES = `
Examples:
  $ flux-batch results spring-catalog --format csv > spring.csv
  $ flux-batch results spring-catalog --where state=failed | jq -r .failureMessage
  $ flux-batch results spring-catalog --out spring --where color=red,cobalt --where name=teapot*
  $ flux-batch results spring-catalog --out spring --flat
  $ flux-batch results spring-catalog --format parquet > spring.parquet
  $ flux-batch results spring-catalog --format webdataset --out shards --where current=true

--where takes state, name, id, model, variant, prompt, current, failure (its class) and every variable of the manifest; * and ? stand
for any text and any character, a comma for "or", != for "not"; given more than once, all must hold.

--out may be stopped and run again: images that are there with the right sha256 are not fetched again.
Exit codes: 0 all there · 1 some images are not what was archived, or some records cannot be read · 2 something is wrong with the command or the
configuration · 3 stopped before the end.
`;

type Flags = ConfigFlags & {
  format: Format | 'webdataset';
  order?: Order;
  out?: string;
  flat?: true;
  where: string[];
  refresh?: boolean;
};

/** `flux-batch results`: lists every item of a batch. It needs only the archive, not Redis. */
export function resultsCommand(): Command {
  return withConfigOptions(new Command('results'))
    .argument('<batch>', 'its name')
    .addOption(
      new Option('--format <format>', 'of the list; webdataset: tar files of the images, with --out')
        .choices([...FORMATS, 'webdataset'])
        .default('jsonl'),
    )
    .addOption(
      new Option('--order <order>', 'of the list: by id, or as in the manifest (the default of csv and --out)').choices(
        ORDERS,
      ),
    )
    .option('--where <name=value>', 'only items like this; may be given more than once', gather, [])
    .option('--out <folder>', 'bring images, gallery and lists there instead of printing')
    .option(
      '--flat',
      'with --out: names for people (hero-1.png), all in one folder; only current images, unless --where current= says otherwise',
    )
    .option('--refresh', "write the batch's index and gallery in the archive anew instead of printing")
    .option('--no-refresh', 'leave them as they are, even when they are older than the records')
    .addHelpText('after', EXAMPLES)
    .action(async (batch: string, flags: Flags) => {
      refuseContradictions(flags);
      const where = whereOf(flags);
      const closers = openClosers();
      try {
        const config = loadConfig(overridesOf(flags));
        const archive = await openArchiveOf(config, closers);
        const found = await archivedBatch(archive, batch);
        const covering = flags.refresh === false ? {} : { fewestToCover: FEWEST_TO_COVER };
        const prices = await loadPrices(config.pricesFile);
        const ports = { archive, records: recordsIn(archive), prices, ...covering };
        const order = flags.order ?? (flags.out !== undefined || flags.format === 'csv' ? 'manifest' : 'id');
        const source: Source = { batch, found, ...ports, where, order, refresh: flags.refresh };
        if (flags.refresh) process.exitCode = await refresh(source);
        else if (flags.format === 'webdataset') process.exitCode = await shards(source, flags.out ?? '');
        else if (flags.out !== undefined) process.exitCode = await copyToFolder(source, flags.out, flags.flat === true);
        else process.exitCode = await print(source, flags.format);
      } finally {
        await closers.closeAll();
      }
    });
}

type Source = StandingPorts & {
  batch: string;
  found: ArchivedBatch;
  where: Where;
  order: Order;
  refresh: boolean | undefined;
};

function refuseContradictions({ out, flat, refresh, where, format }: Flags): void {
  const refuse = (message: string) => {
    throw new UsageError('flags-contradict', message);
  };
  if (format === 'webdataset' && (out === undefined || flat || refresh))
    refuse('--format webdataset needs --out, and goes with neither --flat nor --refresh');
  if (format === 'parquet' && (out !== undefined || refresh || process.stdout.isTTY))
    refuse('--format parquet goes into a file by >: not onto a screen, and with neither --out nor --refresh');
  if (flat && out === undefined) refuse('--flat needs --out');
  if (refresh && (out !== undefined || where.length > 0)) refuse('--refresh goes with neither --out nor --where');
}

/** Under a name for people stands what the name stands for now. */
function whereOf({ flat, where }: Flags): Where {
  const asked = parseWhere(where);
  return flat && !asked.asks('current') ? parseWhere([...where, 'current=true']) : asked;
}

async function print(source: Source, format: Format): Promise<number> {
  const { batch, archive, where, order } = source;
  const digest = rowsDigest();
  const unreadable: Unreadable[] = [];
  const images = await openImageCheck(archive, batch);
  const records = digested(noted(listedItems(batch, source, order), unreadable, images), digest);
  for await (const piece of formatRows(rowsOf(matching(records, where)), format)) {
    if (!process.stdout.writable) return EXIT.allArchived;
    if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
  }
  await refreshIfStale(source, digest);
  where.complain();
  return Math.max(tellTrouble(source, unreadable), tellMissing(batch, await images.missing()));
}

async function refresh(source: Source): Promise<number> {
  const { batch, archive } = source;
  const { unreadable, missing } = await writeIndex(batch, source);
  say(`${batch}: index and gallery written anew in ${archive.url}`);
  return Math.max(tellTrouble(source, unreadable), tellMissing(batch, missing));
}

/** The exit code when nothing else is wrong. */
function tellTrouble({ found }: Source, unreadable: readonly Unreadable[]): number {
  const noFile = found.file === undefined;
  if (noFile) say(`unreadable: ${plain(found.trouble)}; its records alone are shown`);
  unreadable.forEach(tellUnreadable());
  return noFile || unreadable.length > 0 ? EXIT.someFailed : EXIT.allArchived;
}

/** The user's request is already fulfilled here. So an index that cannot be written is a note, not an error. */
async function refreshIfStale(source: Source, digest: RowsDigest): Promise<void> {
  const { batch, refresh } = source;
  if (refresh === false) return;
  try {
    if (await refreshIndex(batch, source, digest.hex()))
      say(`${batch}: the index in the archive was older than its records; written anew`);
  } catch (error) {
    say(`note: the index of ${batch} in the archive is older than its records, and stays so: ${messageOf(error)}`);
  }
}

/** Images copied at the same time. Each is held in memory, and more hardly help on a home connection. */
const AT_ONCE = 8;

async function copyToFolder(source: Source, out: string, flat: boolean): Promise<number> {
  const { batch, archive, where, order } = source;
  const target = await openTarget(out, archive);
  const stop = onStopSignals({ stopsForFaults: false, saying: 'stopping; run the same command again to go on.' });
  const progress = collectProgress(
    process.stderr,
    where.isEverything ? await imagesOf(archive, batch, stop.signal) : undefined,
  );
  try {
    const digest = rowsDigest();
    const unreadable: Unreadable[] = [];
    const all = noted(listedItems(batch, source, order, stop.signal), unreadable);
    const records = matching(digested(all, digest), where);
    const collected = collect(records, archive, target, {
      nameOf: flat ? namedForPeople() : namedById,
      keepsOthers: flat,
      width: AT_ONCE,
      signal: stop.signal,
      onImage: progress.note,
    });
    await writeIndexFiles(batch, collected, { archive: target, folder: '' });
    progress.close();
    await refreshIfStale(source, digest);
    where.complain();
    say(`${target.url}/index.html`);
    const code = tellTrouble(source, unreadable);
    return progress.sum.lost.length > 0 ? EXIT.someFailed : code;
  } catch (error) {
    if (!stop.signal.aborted) throw ofTarget(error, out);
    progress.close();
    return EXIT.stopped;
  } finally {
    stop.dispose();
  }
}

/** Tar files of the images that were chosen, for those who train on them. */
async function shards(source: Source, out: string): Promise<number> {
  const { batch, archive, where, order } = source;
  const unreadable: Unreadable[] = [];
  const chosen = (signal: AbortSignal) => matching(noted(listedItems(batch, source, order, signal), unreadable), where);
  const code = await bringShards(out, { batch, archive, chosen });
  if (code === EXIT.stopped) return code;
  where.complain();
  return Math.max(code, tellTrouble(source, unreadable));
}

/** By the archive's own listing: the totals of the batch are what Redis knew when it ended. */
async function imagesOf(archive: Archive, batch: string, signal: AbortSignal): Promise<number | undefined> {
  let count = 0;
  try {
    for await (const _ of archive.list(layout.images(batch), signal)) count++;
  } catch {
    // Only the progress would have it; what keeps the archive from answering is told by what comes next.
    return undefined;
  }
  return count;
}

async function* noted(
  records: AsyncIterable<Listed>,
  unreadable: Unreadable[],
  images?: ImageCheck,
): AsyncGenerator<Listed> {
  for await (const found of records) {
    images?.note(found);
    if (!isReadable(found)) unreadable.push(found);
    yield found;
  }
}

async function* matching(records: AsyncIterable<Listed>, where: Where): AsyncGenerator<Listed> {
  for await (const record of records) if (where.matches(record)) yield record;
}

async function* rowsOf(records: AsyncIterable<Listed>): AsyncGenerator<Row> {
  for await (const record of records) yield rowOf(record);
}

function gather(value: string, before: string[]): string[] {
  return [...before, value];
}
