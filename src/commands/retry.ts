import { Command, Option } from 'commander';
import { restoredBatch } from '../batch/restore.ts';
import { chooseFailed, costOfChoices, describeChoices, requeueItems } from '../batch/retry.ts';
import { loadConfig } from '../config.ts';
import { FAILURE_CLASSES, type Failure } from '../items/record.ts';
import { plural, say } from '../text/terminal.ts';
import { connect } from '../wiring/connections.ts';
import { agrees } from './ask.ts';
import { EXIT } from './exit-codes.ts';
import { type ConfigFlags, overridesOf, withConfigOptions } from './options.ts';
import { tellUnreadable } from './tell-unreadable.ts';

const EXAMPLES = `
Examples:
  $ flux-batch retry spring-catalog                                 all that failed
  $ flux-batch retry spring-catalog --class generation-failed internal
  $ flux-batch retry spring-catalog --anew --yes                    also pay anew where the paid image may still be had

A task that was paid for and whose image may still be there is asked for again, at no cost; the others are submitted again.
Held items that a person dropped come back only by --class cancelled. Workers, or the next run, do the work.
`;

type Flags = ConfigFlags & { class?: Failure['class'][]; anew?: true; yes?: true; json?: true };

/** `flux-batch retry`: failed items are made live again; works from the archive's records, also when Redis was emptied. */
export function retryCommand(): Command {
  return withConfigOptions(new Command('retry'))
    .argument('<batch>', 'its name')
    .addOption(new Option('--class <class...>', 'only failures of these classes').choices(FAILURE_CLASSES))
    .option('--anew', 'submit all of them, never ask again for a paid task')
    .option('--yes', 'never ask')
    .option('--json', 'print what is retried as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (batch: string, flags: Flags) => {
      const connections = await connect(loadConfig(overridesOf(flags)), { patient: false, prove: false });
      try {
        await restoredBatch(connections, batch);
        const failed = await chooseFailed(connections, batch, flags.class ?? [], tellUnreadable());
        const choices = flags.anew ? failed.map((choice) => ({ ...choice, how: 'submit' as const })) : failed;
        const cost = await costOfChoices(choices, connections.config.pricesFile);
        const what = describeChoices(choices, cost);
        if (choices.length > 0 && !(await agrees(`${batch}: ${what}. Go on?`, flags))) {
          say('nothing was retried');
          process.exitCode = EXIT.stopped;
          return;
        }
        const retried = choices.length > 0 ? await requeueItems(connections, batch, 'failed', choices) : 0;
        const submits = choices.filter(({ how }) => how === 'submit').length;
        if (flags.json) {
          const sum = { batch, retried, submits, asks: choices.length - submits, credits: cost.credits ?? null };
          process.stdout.write(`${JSON.stringify(sum)}\n`);
        } else if (choices.length === 0) say(`${batch}: nothing to retry`);
        else say(`${batch}: ${what}; ${plural(retried, 'item')} queued`);
      } finally {
        await connections.closers.closeAll();
      }
    });
}
