import { Command } from 'commander';
import { hasEnded } from '../batch/counts.ts';
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
  $ flux-batch pause spring-catalog     nothing more of it is submitted, by any worker, within a second
  $ flux-batch pause --all              nothing of any batch
  $ flux-batch resume spring-catalog

What runs at the provider is paid for and is still fetched and archived. Pausing what is paused changes nothing.
`;

/** `flux-batch pause`: stops submitting, for the whole fleet. */
export function pauseCommand(): Command {
  return withConfigOptions(new Command('pause'))
    .argument('[batch]', 'its name')
    .option('--all', 'all batches, those to come included')
    .option('--json', 'print what is paused as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (name: string | undefined, flags: ConfigFlags & { all?: true; json?: true }) => {
      const what = oneOrAll(name, flags);
      await withConnections(loadConfig(overridesOf(flags)), LOOK, async (connections) => {
        const paused = what === 'all' ? await pauseAll(connections) : await pauseBatch(connections, what.batch);
        if (flags.json) printJson(paused.json);
        else say(paused.text);
      });
    });
}

async function pauseAll({ control }: Pick<Connections, 'control'>) {
  await control.pauseAll();
  const pausedAt = await control.fleetPausedAt();
  return { json: { all: true, pausedAt }, text: 'paused: nothing is submitted until flux-batch resume --all' };
}

async function pauseBatch(connections: Pick<Connections, 'state' | 'control'>, batch: string) {
  const before = await knownBatch(connections, batch);
  if (hasEnded(before)) return { json: { batch, ended: true }, text: `${batch} has ended: nothing of it waits` };
  await connections.control.pause(batch);
  const { items, pausedAt } = await knownBatch(connections, batch);
  const waiting = items.queued + items.submitting;
  const running = items.submitted + items.finished;
  return {
    json: { batch, pausedAt, waiting, running },
    text: `${batch} is paused: ${plural(waiting, 'item')} wait, ${plural(running, 'paid one')} will still be archived`,
  };
}
