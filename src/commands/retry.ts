import { Command, Option } from 'commander';
import type { ToldItem } from '../batch/change-items.ts';
import { onRouteOf, restoredBatch } from '../batch/restore.ts';
import { chooseFailed, costOfChoices, describeChoices, requeueItems, withTheirInputs } from '../batch/retry.ts';
import { loadConfig } from '../config.ts';
import { FAILURE_CLASSES, type Failure } from '../items/record.ts';
import { plural, say } from '../text/terminal.ts';
import { agrees, declined } from './ask.ts';
import { type ConfigFlags, overridesOf, withConfigOptions } from './options.ts';
import { printJson } from './print.ts';
import { tellLacking } from './tell-lacking.ts';
import { tellUnreadable } from './tell-unreadable.ts';
import { ONE_SHOT, withConnections } from './with-connections.ts';

const EXAMPLES = `
Examples:
  $ flux-batch retry spring-catalog                                 all that failed
  $ flux-batch retry spring-catalog --class generation-failed internal
  $ flux-batch retry spring-catalog --anew --yes                    also pay anew where the paid image may still be had

A task that was paid for and whose image may still be there is asked for again, at no cost; the others are submitted again.
Held items that a person dropped come back only by --class cancelled. Workers, or the next run, do the work.
`;

type Flags = ConfigFlags & { class?: Failure['class'][]; anew?: true; yes?: true; json?: true };

/** `flux-batch retry`: requeues failed items. It reads the archive's records, so it also works after Redis was emptied. */
export function retryCommand(): Command {
  return withConfigOptions(new Command('retry'))
    .argument('<batch>', 'its name')
    .addOption(new Option('--class <class...>', 'only failures of these classes').choices(FAILURE_CLASSES))
    .option('--anew', 'submit all of them, never ask again for a paid task')
    .option('-y, --yes', 'never ask')
    .option('--json', 'print what is retried as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (batch: string, flags: Flags) => {
      await withConnections(loadConfig(overridesOf(flags)), ONE_SHOT, async (opened) => {
        await restoredBatch(opened, batch);
        const connections = await onRouteOf(opened, batch);
        const failed = await chooseFailed(connections, batch, flags.class ?? [], tellUnreadable());
        const wanted = flags.anew ? failed.map((choice) => ({ ...choice, how: 'submit' as const })) : failed;
        const { ready: choices, lacking } = await withTheirInputs(connections, batch, wanted);
        tellLacking(lacking);
        const cost = await costOfChoices(choices, connections.config);
        const what = describeChoices(choices, cost);
        if (choices.length > 0 && !(await agrees(`${batch}: ${what}. Go on?`, flags))) {
          return declined('nothing was retried');
        }
        const retried = choices.length > 0 ? await requeueItems(connections, batch, 'failed', choices, sayLeft) : 0;
        const submits = choices.filter(({ how }) => how === 'submit').length;
        if (flags.json) {
          const sum = { batch, retried, submits, asks: choices.length - submits, credits: cost.credits ?? null };
          printJson({ ...sum, ...(lacking.length > 0 && { lacking: lacking.map(({ id }) => id) }) });
        } else if (choices.length === 0) say(`${batch}: nothing to retry`);
        else say(`${batch}: ${what}; ${plural(retried, 'item')} queued`);
      });
    });
}

function sayLeft({ id, state }: ToldItem): void {
  say(`${id} is ${state} by now: left as it is`);
}
