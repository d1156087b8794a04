import { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { drawSnapshot } from '../status/draw.ts';
import { openLook } from '../status/snapshot.ts';
import { snapshotJson } from '../status/snapshot-json.ts';
import { watchStatus } from '../status/watch.ts';
import { connect } from '../wiring/connections.ts';
import { type ConfigFlags, overridesOf, withConfigOptions } from './options.ts';

const EXAMPLES = `
Examples:
  $ flux-batch status
  $ flux-batch status spring-catalog --watch
  $ flux-batch status spring-catalog --json | jq .batches[0].items
  $ flux-batch status --watch --json | jq --unbuffered .rates.submit.inWindow
`;

/** `flux-batch status`: batches, queues, rates and workers, as Redis has them now. */
export function statusCommand(): Command {
  return withConfigOptions(new Command('status'))
    .argument('[batch]', 'only this one')
    .option('--watch', 'again each second, until Ctrl-C')
    .option('--json', 'print it as JSON; with --watch a line each second')
    .addHelpText('after', EXAMPLES)
    .action(async (batch: string | undefined, flags: ConfigFlags & { watch?: true; json?: true }) => {
      const connections = await connect(loadConfig(overridesOf(flags)), { patient: false, prove: false });
      const stopping = new AbortController();
      try {
        const look = openLook(connections);
        if (flags.watch) {
          for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
          // Whoever reads our lines may leave, as `head` does.
          process.stdout.once('error', () => stopping.abort());
          await watchStatus(look, process.stdout, { batch, json: flags.json === true, signal: stopping.signal });
          return;
        }
        const now = await look(batch);
        const text = flags.json ? JSON.stringify(snapshotJson(now), null, 2) : drawSnapshot(now, undefined).join('\n');
        process.stdout.write(`${text}\n`);
      } finally {
        await connections.closers.closeAll();
      }
    });
}
