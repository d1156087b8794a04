import { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { paintEnds } from '../progress/draw-counts.ts';
import { drawSnapshot } from '../status/draw.ts';
import { snapshotReader } from '../status/snapshot.ts';
import { snapshotJson } from '../status/snapshot-json.ts';
import { watchStatus } from '../status/watch.ts';
import { paintFor } from '../text/paint.ts';
import { type ConfigFlags, overridesOf, withConfigOptions } from './options.ts';
import { onStopSignals } from './signals.ts';
import { LOOK, withConnections } from './with-connections.ts';

const EXAMPLES = `
Examples:
  $ flux-batch status
  $ flux-batch status spring-catalog --watch
  $ flux-batch status spring-catalog --json | jq .batches[0].items
  $ flux-batch status --watch --json | jq --unbuffered .rates.submit.inWindow
`;

/** `flux-batch status`: shows batches, queues, rates and workers as they are in Redis now. */
export function statusCommand(): Command {
  return withConfigOptions(new Command('status'))
    .argument('[batch]', 'only this one')
    .option('--watch', 'again each second, until Ctrl-C')
    .option('--json', 'print it as JSON; with --watch a line each second')
    .addHelpText('after', EXAMPLES)
    .action(async (batch: string | undefined, flags: ConfigFlags & { watch?: true; json?: true }) => {
      await withConnections(loadConfig(overridesOf(flags)), LOOK, async (connections) => {
        const read = snapshotReader(connections);
        if (flags.watch) {
          const stop = onStopSignals({ stopsForFaults: false });
          // The reader of our output may close the pipe, as `head` does.
          process.stdout.once('error', stop.begin);
          await watchStatus(read, process.stdout, { batch, json: flags.json === true, signal: stop.signal });
          stop.dispose();
          if (stop.fault) throw stop.fault;
          return;
        }
        const now = await read(batch);
        const paint = paintFor(process.stdout);
        const text = flags.json
          ? JSON.stringify(snapshotJson(now), null, 2)
          : drawSnapshot(now, process.stdout.columns)
              .map((line) => paintEnds(line, paint))
              .join('\n');
        process.stdout.write(`${text}\n`);
      });
    });
}
