import { Command } from 'commander';
import { readBatchFile } from '../archive/batch-file.ts';
import { nextTakes, queueTakes, refuseWithoutInputs, type Take } from '../batch/redo.ts';
import { onRouteOf, restoredBatch } from '../batch/restore.ts';
import { loadConfig } from '../config.ts';
import { describeSpending } from '../money/describe-spending.ts';
import { costOf } from '../money/estimate.ts';
import { kindOfItem } from '../money/prices.ts';
import { manifestOrder } from '../results/manifest-order.ts';
import { plural, say } from '../text/terminal.ts';
import { agrees, declined } from './ask.ts';
import { type ConfigFlags, overridesOf, withConfigOptions } from './options.ts';
import { printJson } from './print.ts';
import { ONE_SHOT, withConnections } from './with-connections.ts';

const EXAMPLES = `
Examples:
  $ flux-batch redo spring-catalog hero-557872ef92c8 --note "too dark"
  $ flux-batch redo spring-catalog room-lamp-01 room-vase-02 --yes

An item is named by its id, or by its name where one item alone has it. The request stays the same; the new image takes the name's
place once it is archived, and the former one stays as a version. Workers, or the next run, do the work.
`;

type Flags = ConfigFlags & { note?: string; yes?: true; json?: true };

/** `flux-batch redo`: another take of an image, at its price. Nothing is overwritten. */
export function redoCommand(): Command {
  return withConfigOptions(new Command('redo'))
    .argument('<batch>', 'its name')
    .argument('<items...>', 'their ids or names')
    .option('--note <text>', 'why, for those who look at the versions later')
    .option('-y, --yes', 'never ask')
    .option('--json', 'print what is made anew as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (batch: string, items: string[], flags: Flags) => {
      await withConnections(loadConfig(overridesOf(flags)), ONE_SHOT, async (opened) => {
        await restoredBatch(opened, batch);
        const connections = await onRouteOf(opened, batch);
        const { archive, records, clock, prices, config } = connections;
        const { places } = await manifestOrder(archive, batch, (await readBatchFile(archive, batch))?.manifest);
        const hasPlace = (id: string) => places.has(id);
        const takes = await nextTakes(records, { batch, items, hasPlace, now: clock.now() });
        await refuseWithoutInputs(archive, batch, takes);
        const byModel = modelsOf(takes);
        const cost = costOf(byModel, prices);
        const what = describeSpending(byModel, prices, config);
        if (!(await agrees(`${batch}: ${what}. Go on?`, flags))) return declined('nothing is made anew');
        await queueTakes(connections, batch, takes, flags.note);
        if (flags.json) {
          const made = takes.map(({ of, item, take }) => ({ id: item.id, name: item.name, take, of: of.id }));
          printJson({ batch, takes: made, credits: cost.credits ?? null });
        } else say(`${batch}: ${what}; ${plural(takes.length, 'item')} queued`);
      });
    });
}

function modelsOf(takes: readonly Take[]): Record<string, number> {
  const byModel: Record<string, number> = {};
  for (const { item } of takes) {
    const kind = kindOfItem(item);
    byModel[kind] = (byModel[kind] ?? 0) + 1;
  }
  return byModel;
}
