import { once } from 'node:events';
import { Command, Option } from 'commander';
import { readBatchFile } from '../archive/batch-file.ts';
import type { ItemRecord } from '../archive/record.ts';
import { recordsIn } from '../archive/records.ts';
import { openClosers } from '../closers.ts';
import { loadConfig } from '../config.ts';
import { openArchiveOf } from '../connections.ts';
import { UsageError } from '../errors.ts';
import { FORMATS, type Format, formatRows } from '../results/format.ts';
import { recordsOfBatch } from '../results/records-of-batch.ts';
import { type Row, rowOf } from '../results/row.ts';
import { type ConfigFlags, overridesOf, withConfigOptions } from './options.ts';

/** `flux-batch results`: every item of a batch, from the archive alone; Redis may be gone. */
export function resultsCommand(): Command {
  return withConfigOptions(new Command('results'))
    .description('list every item of a batch with its image or its failure, from the archive')
    .argument('<batch>', 'its name')
    .addOption(new Option('--format <format>', 'of the list').choices(FORMATS).default('jsonl'))
    .addHelpText(
      'after',
      '\nExamples:\n  $ flux-batch results spring-catalog --format csv > spring.csv\n  $ flux-batch results spring-catalog | jq -r .image\n',
    )
    .action(async (batch: string, flags: ConfigFlags & { format: Format }) => {
      const closers = openClosers();
      try {
        const archive = await openArchiveOf(loadConfig(overridesOf(flags)), closers);
        if (!(await readBatchFile(archive, batch))) {
          throw new UsageError('batch-unknown', `No batch named ${batch} is in ${archive.url}`, {
            hint: 'Is --archive right?',
          });
        }
        for await (const piece of formatRows(rowsOf(recordsOfBatch(recordsIn(archive), batch)), flags.format)) {
          if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
        }
      } finally {
        await closers.closeAll();
      }
    });
}

async function* rowsOf(records: AsyncIterable<ItemRecord>): AsyncGenerator<Row> {
  for await (const record of records) yield rowOf(record);
}
