import { Command } from 'commander';
import { knownBatch } from '../batch/find.ts';
import { forgetBatch } from '../batch/forget.ts';
import { loadConfig } from '../config.ts';
import { plural, say } from '../text/terminal.ts';
import { agrees, declined } from './ask.ts';
import { type ConfigFlags, overridesOf, withConfigOptions } from './options.ts';
import { printJson } from './print.ts';
import { LOOK, withConnections } from './with-connections.ts';

const EXAMPLES = `
Examples:
  $ flux-batch forget spring-catalog            frees its memory in Redis, about 200 bytes an item
  $ flux-batch forget spring-catalog --yes --json

Only a batch that has ended can be forgotten. The archive keeps all of it: results and rescue work as before, and to decide on
held or failed items enqueue the manifest again. Workers forget by themselves what ended FORGET_AFTER ago.
`;

/** `flux-batch forget`: removes an ended batch from Redis. */
export function forgetCommand(): Command {
  return withConfigOptions(new Command('forget'))
    .argument('<batch>', 'its name')
    .option('-y, --yes', 'never ask')
    .option('--json', 'print what was forgotten as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (batch: string, flags: ConfigFlags & { yes?: true; json?: true }) => {
      await withConnections(loadConfig(overridesOf(flags)), LOOK, async (connections) => {
        const { items } = await knownBatch(connections, batch);
        const waiting = items.held > 0 ? `, of which ${plural(items.held, 'item')} wait for your decision` : '';
        if (!(await agrees(`Remove ${batch} from Redis${waiting}?`, flags))) return declined('nothing was forgotten');
        const { total } = await forgetBatch(connections, batch);
        if (flags.json) printJson({ batch, items: total });
        else say(`${batch} is forgotten: ${plural(total, 'item')}. All of it is in ${connections.archive.url}`);
      });
    });
}
