import { Command } from 'commander';
import { hasEnded } from '../batch/counts.ts';
import { knownBatch } from '../batch/find.ts';
import { loadConfig } from '../config.ts';
import { plural, say } from '../text/terminal.ts';
import { agrees, declined } from './ask.ts';
import { type ConfigFlags, overridesOf, withConfigOptions } from './options.ts';
import { printJson } from './print.ts';
import { LOOK, withConnections } from './with-connections.ts';

const EXAMPLES = `
Examples:
  $ flux-batch cancel spring-catalog
  $ flux-batch cancel spring-catalog --yes --json | jq .running

Items that were not submitted end as cancelled, and cost nothing. What runs is paid for: it is still fetched and archived.
To make them after all, run or enqueue the manifest again.
`;

/** `flux-batch cancel`: ends a batch. What is already submitted is still archived. */
export function cancelCommand(): Command {
  return withConfigOptions(new Command('cancel'))
    .argument('<batch>', 'its name')
    .option('-y, --yes', 'never ask')
    .option('--json', 'print what was cancelled as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (batch: string, flags: ConfigFlags & { yes?: true; json?: true }) => {
      await withConnections(loadConfig(overridesOf(flags)), LOOK, async (connections) => {
        const before = await knownBatch(connections, batch);
        const waiting = before.items.queued + before.items.submitting;
        if (!hasEnded(before)) {
          if (!(await agrees(`Cancel ${plural(waiting, 'waiting item')} of ${batch}?`, flags))) {
            return declined('nothing was cancelled');
          }
          await connections.control.cancel(batch);
        }
        const { items } = await knownBatch(connections, batch);
        const running = items.submitting + items.submitted + items.finished;
        const sum = { batch, cancelled: items.cancelled, running, archived: items.archived };
        if (flags.json) printJson(sum);
        else say(textOf(sum, hasEnded(before)));
      });
    });
}

type Sum = { batch: string; cancelled: number; running: number; archived: number };

function textOf({ batch, cancelled, running, archived }: Sum, hadEnded: boolean): string {
  if (hadEnded) return `${batch} has ended: ${archived} archived, ${cancelled} cancelled`;
  const rest =
    running > 0
      ? `${plural(running, 'more', 'more')} under way: what is paid for will be archived`
      : 'none was under way';
  return `${batch} is cancelled: ${plural(cancelled, 'item')} will not be submitted; ${rest}`;
}
