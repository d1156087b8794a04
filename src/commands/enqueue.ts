import { Command, Option } from 'commander';
import { withOneLook } from '../batch/batch-look.ts';
import { enqueueManifest } from '../batch/enqueue.ts';
import { prioritized } from '../batch/priority.ts';
import { loadConfig } from '../config.ts';
import { expand, openManifest } from '../manifest/manifest.ts';
import { isPart } from '../manifest/selection.ts';
import { requirePrices } from '../money/budget.ts';
import { plural, say } from '../text/terminal.ts';
import { agreesToAll } from './agree-to-all.ts';
import { spendingOf } from './agree-to-spend.ts';
import { declined } from './ask.ts';
import { refuseDryRun } from './cousins.ts';
import { EXIT } from './exit-codes.ts';
import { type ConfigFlags, overridesOf, parseBatchPriority, withBudgetOption, withWorkerOptions } from './options.ts';
import { printJson, sayWarnings } from './print.ts';
import { openingOf, type SelectionFlags, withSelectionOptions } from './selection.ts';
import { tellManifest } from './tell-manifest.ts';
import { tellUnreadable } from './tell-unreadable.ts';
import { withConnections } from './with-connections.ts';

/** `flux-batch enqueue`: only puts the items into the queues. Workers elsewhere process them. */
export function enqueueCommand(): Command {
  return withSelectionOptions(withBudgetOption(withWorkerOptions(new Command('enqueue'))))
    .argument('<manifest>', 'the YAML file; - for stdin')
    .option('--priority <number>', 'of the batch: 0 goes first, larger numbers later', parseBatchPriority, 0)
    .option('-y, --yes', 'never ask')
    .addOption(new Option('--dry-run').hideHelp())
    .option('--json', 'print what was enqueued as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ flux-batch enqueue jobs.yaml --redis redis://queue:6379 --archive s3://pictures\n  $ flux-batch enqueue jobs.yaml --budget 2000 --yes\n',
    )
    .action(
      async (
        file: string,
        flags: ConfigFlags & SelectionFlags & { dryRun?: true; priority: number; yes?: true; json?: true },
      ) => {
        if (flags.dryRun) refuseDryRun(file);
        const config = loadConfig(overridesOf(flags));
        const { manifest, totals } = await openManifest(file, openingOf(flags));
        tellManifest(manifest, totals);
        await withConnections(config, { patient: false, prove: true }, async (opened) => {
          const connections = withOneLook(opened, manifest.batch);
          opened.closers.push(connections.look.close);
          sayWarnings(connections);
          requirePrices(totals.byModel, connections.prices, config);
          const spending = spendingOf(manifest, totals);
          const agreed = await agreesToAll(connections, spending, flags);
          if (!agreed) return declined('nothing was enqueued');
          const { batch, digest, selection } = manifest;
          const sum = await enqueueManifest(
            connections,
            { batch, digest, isPart: isPart(selection), remake: agreed.remake },
            prioritized(expand(manifest), flags.priority),
          );
          if (flags.json) printJson({ batch, ...sum });
          else say(`${batch}: ${plural(sum.items, 'item')}; ${sum.submits} to submit, ${sum.polls} to ask for`);
          if (!sum.unreadable) return;
          sum.unreadable.forEach(tellUnreadable());
          process.exitCode = EXIT.someFailed;
        });
      },
    );
}
