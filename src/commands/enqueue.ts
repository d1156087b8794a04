import { Command } from 'commander';
import { enqueueManifest } from '../batch/enqueue.ts';
import { prioritized } from '../batch/priority.ts';
import { loadConfig } from '../config.ts';
import { expand, openManifest } from '../manifest/manifest.ts';
import { requirePrices } from '../money/budget.ts';
import { plural, say } from '../text/terminal.ts';
import { connect } from '../wiring/connections.ts';
import { agreesToSpend, spendingOf } from './agree-to-spend.ts';
import { EXIT } from './exit-codes.ts';
import { type ConfigFlags, overridesOf, parseBatchPriority, withBudgetOption, withWorkerOptions } from './options.ts';
import { type SelectionFlags, selectionOf, withSelectionOptions } from './selection.ts';

/** `flux-batch enqueue`: the producer alone; workers elsewhere do the rest. */
export function enqueueCommand(): Command {
  return withSelectionOptions(withBudgetOption(withWorkerOptions(new Command('enqueue'))))
    .argument('<manifest>', 'the YAML file; - for stdin')
    .option('--priority <number>', 'of the batch: 0 goes first, larger numbers later', parseBatchPriority, 0)
    .option('--yes', 'never ask')
    .option('--json', 'print what was enqueued as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ flux-batch enqueue jobs.yaml --redis redis://queue:6379 --archive s3://pictures\n  $ flux-batch enqueue jobs.yaml --budget 2000 --yes\n',
    )
    .action(
      async (file: string, flags: ConfigFlags & SelectionFlags & { priority: number; yes?: true; json?: true }) => {
        const config = loadConfig(overridesOf(flags));
        const { manifest, totals } = await openManifest(file, { selection: selectionOf(flags), stdin: process.stdin });
        const connections = await connect(config, { patient: false, prove: true });
        try {
          for (const warning of connections.warnings) say(`warning: ${warning}`);
          requirePrices(totals.byModel, connections.prices, config);
          const spending = spendingOf(manifest, totals);
          if (!(await agreesToSpend(connections, spending, flags))) {
            say('nothing was enqueued');
            process.exitCode = EXIT.stopped;
            return;
          }
          const sum = await enqueueManifest(connections, manifest, prioritized(expand(manifest), flags.priority));
          if (flags.json) process.stdout.write(`${JSON.stringify({ batch: manifest.batch, ...sum })}\n`);
          else
            say(`${manifest.batch}: ${plural(sum.items, 'item')}; ${sum.submits} to submit, ${sum.polls} to ask for`);
        } finally {
          await connections.closers.closeAll();
        }
      },
    );
}
