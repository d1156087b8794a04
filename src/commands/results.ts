import { once } from 'node:events';
import { Command, Option } from 'commander';
import { FEWEST_TO_COVER } from '../archive/batch-records.ts';
import { recordsIn } from '../archive/records.ts';
import { loadConfig } from '../config.ts';
import { UsageError } from '../errors.ts';
import type { Unreadable } from '../items/unreadable.ts';
import { loadPrices } from '../money/load-prices.ts';
import { archivedBatch } from '../results/archived-batch.ts';
import { FORMATS, type Format, formatRows } from '../results/format.ts';
import { openImageCheck } from '../results/missing-images.ts';
import { type Row, rowOf } from '../results/row.ts';
import { digested, rowsDigest } from '../results/rows-digest.ts';
import { type Listed, listedItems, ORDERS, type Order } from '../results/standings.ts';
import { parseWhere, type Where } from '../results/where.ts';
import { writeIndex } from '../results/write-index.ts';
import { say } from '../text/terminal.ts';
import { openClosers } from '../wiring/closers.ts';
import { openArchiveOf } from '../wiring/connections.ts';
import { EXIT } from './exit-codes.ts';
import { type ConfigFlags, overridesOf, withConfigOptions } from './options.ts';
import { copyToFolder } from './results-folder.ts';
import { bringShards } from './results-shards.ts';
import { matching, noted, refreshIfStale, type Source, tellTrouble } from './results-source.ts';
import { tellMissing } from './tell-missing.ts';

const EXAMPLES = `
Examples:
  $ flux-batch results spring-catalog --format csv > spring.csv
  $ flux-batch results spring-catalog --where state=failed | jq -r .failureMessage
  $ flux-batch results spring-catalog --out spring --where color=red,cobalt --where name=teapot*
  $ flux-batch results spring-catalog --out spring --flat
  $ flux-batch results spring-catalog --format parquet > spring.parquet
  $ flux-batch results spring-catalog --format webdataset --out shards --where current=true

--where takes state, name, id, provider, model, variant, prompt, current, failure (its class) and every variable of the
manifest. * is any text, ? any character, a comma "or", != "not"; given more than once, all must hold.

--out may be stopped and run again: images that are there with the right sha256 are not fetched again.
Exit codes: 0 all there · 1 some images are missing or not what was archived, or some records cannot be read · 2 something is
wrong with the command or the configuration · 3 stopped before the end.
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
        const prices = await loadPrices(config);
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

async function* rowsOf(records: AsyncIterable<Listed>): AsyncGenerator<Row> {
  for await (const record of records) yield rowOf(record);
}

function gather(value: string, before: string[]): string[] {
  return [...before, value];
}
