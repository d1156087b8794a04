import { Command } from 'commander';
import { hasEnded } from '../batch/counts.ts';
import { knownBatch } from '../batch/find.ts';
import { loadConfig } from '../config.ts';
import { plural, say } from '../text/terminal.ts';
import { connect } from '../wiring/connections.ts';
import { agrees } from './ask.ts';
import { EXIT } from './exit-codes.ts';
import { type ConfigFlags, overridesOf, withConfigOptions } from './options.ts';

const EXAMPLES = `
Examples:
  $ flux-batch cancel spring-catalog
  $ flux-batch cancel spring-catalog --yes --json | jq .running

Items that were not submitted end as cancelled, and cost nothing. What runs is paid for: it is still fetched and archived.
To make them after all, run or enqueue the manifest again.
`;

/** `flux-batch cancel`: a batch ends with what was submitted so far. */
export function cancelCommand(): Command {
  return withConfigOptions(new Command('cancel'))
    .argument('<batch>', 'its name')
    .option('--yes', 'never ask')
    .option('--json', 'print what was cancelled as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (batch: string, flags: ConfigFlags & { yes?: true; json?: true }) => {
      const connections = await connect(loadConfig(overridesOf(flags)), { patient: false, prove: false });
      try {
        const before = await knownBatch(connections, batch);
        const waiting = before.items.queued + before.items.submitting;
        if (!hasEnded(before)) {
          if (!(await agrees(`Cancel ${plural(waiting, 'waiting item')} of ${batch}?`, flags))) {
            say('nothing was cancelled');
            process.exitCode = EXIT.stopped;
            return;
          }
          await connections.control.cancel(batch);
        }
        const { items } = await knownBatch(connections, batch);
        const running = items.submitting + items.submitted + items.finished;
        const sum = { batch, cancelled: items.cancelled, running, archived: items.archived };
        if (flags.json) process.stdout.write(`${JSON.stringify(sum)}\n`);
        else say(textOf(sum, hasEnded(before)));
      } finally {
        await connections.closers.closeAll();
      }
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
