import { Command } from 'commander';
import { knownBatch } from '../batch/find.ts';
import { loadConfig } from '../config.ts';
import { plural, say } from '../text/terminal.ts';
import type { Connections } from '../wiring/connections.ts';
import { oneOrAll } from './batch-argument.ts';
import { type ConfigFlags, overridesOf, withConfigOptions } from './options.ts';
import { printJson } from './print.ts';
import { LOOK, withConnections } from './with-connections.ts';

const EXAMPLES = `
Examples:
  $ flux-batch resume spring-catalog
  $ flux-batch resume --all             ends pause --all; batches paused by name stay paused
`;

/** `flux-batch resume`: ends a pause. */
export function resumeCommand(): Command {
  return withConfigOptions(new Command('resume'))
    .argument('[batch]', 'its name')
    .option('--all', 'end the pause of all batches')
    .option('--json', 'print what goes on and what stays paused as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (name: string | undefined, flags: ConfigFlags & { all?: true; json?: true }) => {
      const what = oneOrAll(name, flags);
      await withConnections(loadConfig(overridesOf(flags)), LOOK, async (connections) => {
        const resumed = what === 'all' ? await resumeAll(connections) : await resumeBatch(connections, what.batch);
        if (flags.json) printJson(resumed.json);
        else for (const line of resumed.lines) say(line);
      });
    });
}

async function resumeAll({ control, state }: Pick<Connections, 'control' | 'state'>) {
  await control.resumeAll();
  const all = await Promise.all((await state.batches()).map((batch) => state.counts(batch)));
  const stillPaused = all.flatMap((counts) => (counts?.pausedAt === undefined ? [] : [counts.batch]));
  return {
    json: { all: true, stillPaused },
    lines: ['resumed', ...stillPaused.map((batch) => `  ${batch} stays paused: flux-batch resume ${batch}`)],
  };
}

async function resumeBatch(connections: Pick<Connections, 'state' | 'control'>, batch: string) {
  await knownBatch(connections, batch);
  await connections.control.resume(batch);
  const { items } = await knownBatch(connections, batch);
  const allPaused = (await connections.control.fleetPausedAt()) !== undefined;
  return {
    json: { batch, waiting: items.queued + items.submitting, allPaused },
    lines: [
      `${batch} goes on: ${plural(items.queued + items.submitting, 'item')} to submit`,
      ...(allPaused ? ['  but all batches are paused: flux-batch resume --all'] : []),
    ],
  };
}
