import { Argument, Command } from 'commander';
import { attach, describeHeld, drop, heldItems, type Picked, pick } from '../batch/held.ts';
import { onRouteOf, restoredBatch } from '../batch/restore.ts';
import { choiceTo, costOfChoices, describeChoices, requeueItems, withTheirInputs } from '../batch/retry.ts';
import { loadConfig } from '../config.ts';
import { UsageError } from '../errors.ts';
import { plural, say } from '../text/terminal.ts';
import type { Connections } from '../wiring/connections.ts';
import { agrees, declined } from './ask.ts';
import { type ConfigFlags, overridesOf, withConfigOptions } from './options.ts';
import { printJson } from './print.ts';
import { tellLacking } from './tell-lacking.ts';
import { tellUnreadable } from './tell-unreadable.ts';
import { ONE_SHOT, withConnections } from './with-connections.ts';

const ACTIONS = ['list', 'resubmit', 'drop', 'attach'] as const;
type Action = (typeof ACTIONS)[number];
type Flags = ConfigFlags & { all?: true; yes?: true; json?: true };

const EXAMPLES = `
A held item waits for a person: whether it was paid for, or what became of its task, is not known.

Examples:
  $ flux-batch held spring-catalog                          list them, with what is known of each
  $ flux-batch held spring-catalog attach <item> <task>     its task is in the provider's log: fetch it, at no cost
  $ flux-batch held spring-catalog resubmit <item…>         submit again; pays twice if the first went through
  $ flux-batch held spring-catalog resubmit --all --yes
  $ flux-batch held spring-catalog drop <item…>             leave it: it counts as failed (class cancelled)

An item is named by its id or its name. Saying a thing twice changes nothing.
`;

/** `flux-batch held`: lists the held items of a batch and carries out what a person decides about them. */
export function heldCommand(): Command {
  return withConfigOptions(new Command('held'))
    .argument('<batch>', 'its name')
    .addArgument(new Argument('[action]', 'what to do').choices(ACTIONS).default('list'))
    .argument('[items...]', 'their ids or names; for attach, the item and its task id')
    .option('--all', 'every held item of the batch')
    .option('-y, --yes', 'never ask')
    .option('--json', 'print it as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (batch: string, action: Action, items: string[], flags: Flags) => {
      await withConnections(loadConfig(overridesOf(flags)), ONE_SHOT, async (connections) => {
        await act(connections, batch, action, items, flags);
      });
    });
}

async function act(opened: Connections, batch: string, action: Action, items: readonly string[], flags: Flags) {
  await restoredBatch(opened, batch);
  const connections = await onRouteOf(opened, batch);
  switch (action) {
    case 'list':
      return list(connections, batch, flags);
    case 'attach':
      return attachOne(connections, batch, items, flags);
    case 'resubmit':
      return resubmit(connections, batch, await picked(connections, batch, items, flags), flags);
    case 'drop':
      return dropAll(connections, batch, await picked(connections, batch, items, flags), flags);
    default:
      return action satisfies never;
  }
}

async function list(connections: Connections, batch: string, flags: Flags): Promise<void> {
  let count = 0;
  for await (const record of heldItems(connections, batch, tellUnreadable())) {
    count += 1;
    const text = flags.json ? JSON.stringify(record) : [...describeHeld(record, Date.now()), ''].join('\n');
    process.stdout.write(`${text}\n`);
  }
  if (flags.json) return;
  if (count === 0) say(`${batch}: nothing is held`);
  else say(`${plural(count, 'held item')}; flux-batch held --help says what can be done about them`);
}

/** Resolves ids and names to held items. Reports items that are not held, and leaves them alone. */
async function picked(
  connections: Connections,
  batch: string,
  items: readonly string[],
  flags: Flags,
): Promise<Picked> {
  if (items.length === 0 && !flags.all) {
    throw new UsageError('items-missing', 'Expected ids of items, or --all', {
      hint: `flux-batch held ${batch} lists them.`,
    });
  }
  const found = await pick(connections, batch, flags.all ? 'all' : items);
  for (const item of found.others) sayLeft(item);
  return found;
}

async function resubmit(connections: Connections, batch: string, { held }: Picked, flags: Flags): Promise<void> {
  const wanted = held.map((record) => choiceTo('submit', record));
  const { ready: choices, lacking } = await withTheirInputs(connections, batch, wanted);
  tellLacking(lacking);
  const cost = await costOfChoices(choices, connections.config);
  const what = describeChoices(choices, cost);
  if (choices.length > 0 && !(await agrees(`${batch}: ${what}, perhaps for the second time. Go on?`, flags))) {
    return declined('nothing was done');
  }
  const count = choices.length > 0 ? await requeueItems(connections, batch, 'held', choices, sayLeft) : 0;
  const left = lacking.length > 0 && { lacking: lacking.map(({ id }) => id) };
  if (flags.json) printJson({ batch, resubmitted: count, credits: cost.credits ?? null, ...left });
  else say(`${batch}: ${plural(count, 'held item')} will be submitted again`);
}

async function dropAll(connections: Connections, batch: string, { held }: Picked, flags: Flags): Promise<void> {
  if (held.length > 0 && !(await agrees(`Drop ${plural(held.length, 'held item')} of ${batch}?`, flags)))
    return declined('nothing was done');
  const told = await drop(connections, batch, held);
  for (const item of told) if (!item.changed) sayLeft(item);
  const dropped = told.filter(({ changed }) => changed).length;
  if (flags.json) printJson({ batch, dropped });
  else say(`${batch}: ${plural(dropped, 'held item')} dropped`);
}

async function attachOne(
  connections: Connections,
  batch: string,
  words: readonly string[],
  flags: Flags,
): Promise<void> {
  const [item, taskId, ...more] = words;
  if (item === undefined || taskId === undefined || more.length > 0) {
    throw new UsageError('attach-needs-two', 'Expected an item and its task id: held <batch> attach <item> <task>');
  }
  const { held, others } = await pick(connections, batch, [item]);
  const [record, second] = held;
  if (second)
    throw new UsageError('item-ambiguous', `${plural(held.length, 'held item')} are named ${item}: give the id`);
  const told = record && (await attach(connections, record, taskId));
  if (told?.changed) say(`${told.id}: task ${taskId} will be asked for`);
  else for (const left of told ? [told] : others) sayLeft(left);
  if (flags.json) printJson({ batch, item: record?.id ?? item, attached: told?.changed === true });
}

function sayLeft({ id, state }: { id: string; state: string | undefined }): void {
  say(`${id} is not held but ${state}: left as it is`);
}
