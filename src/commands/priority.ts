import { Command } from 'commander';
import { changePriority } from '../batch/change-priority.ts';
import { hasEnded } from '../batch/counts.ts';
import { knownBatch } from '../batch/find.ts';
import { onRouteOf } from '../batch/restore.ts';
import { loadConfig } from '../config.ts';
import { plural, say } from '../text/terminal.ts';
import { type ConfigFlags, overridesOf, parseBatchPriority, withConfigOptions } from './options.ts';
import { printJson } from './print.ts';
import { LOOK, withConnections } from './with-connections.ts';

const EXAMPLES = `
Examples:
  $ flux-batch priority spring-catalog 0       before all batches of a larger number
  $ flux-batch priority spring-catalog 5 --json

The same as --priority of run and enqueue, for a batch that is enqueued already. Within the batch, items keep their own
priorities. Enqueueing the manifest again gives what still waits in the archive the priority of that enqueue.
`;

/** `flux-batch priority`: what waits of a batch goes earlier or later, among those of all batches. */
export function priorityCommand(): Command {
  return withConfigOptions(new Command('priority'))
    .argument('<batch>', 'its name')
    .argument('<number>', '0 goes first, larger numbers later', parseBatchPriority)
    .option('--json', 'print what it is now as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (batch: string, priority: number, flags: ConfigFlags & { json?: true }) => {
      await withConnections(loadConfig(overridesOf(flags)), LOOK, async (connections) => {
        const counts = await knownBatch(connections, batch);
        const waiting = hasEnded(counts) ? 0 : counts.items.queued;
        if (waiting > 0) await changePriority(await onRouteOf(connections, batch), batch, priority);
        if (flags.json) printJson({ batch, priority, waiting });
        else if (waiting === 0) say(`${batch}: nothing of it waits`);
        else say(`${batch} has priority ${priority}: ${plural(waiting, 'item')} ${waiting === 1 ? 'waits' : 'wait'}`);
      });
    });
}
