import { Command } from 'commander';
import { type Rescue, type Rescued, rescuedItems, takeUp } from '../batch/rescue.ts';
import { loadConfig } from '../config.ts';
import { watchBatch } from '../progress/watch.ts';
import { plain, plural, say, shorten } from '../text/terminal.ts';
import { checkAccounts } from '../wiring/accounts.ts';
import type { Connections } from '../wiring/connections.ts';
import type { StartFleet } from '../wiring/fleet.ts';
import { openPorts } from '../wiring/stage-ports.ts';
import {
  DRAIN_TIMEOUT,
  type DrainFlags,
  drainTimeoutMs,
  exitUndrained,
  parseDurationOption,
  sayUndrained,
} from './drain.ts';
import { EXIT } from './exit-codes.ts';
import { writeIndexAnyway } from './index-anyway.ts';
import { type ConfigFlags, overridesOf, withConfigOptions } from './options.ts';
import { printJson, sayWarnings } from './print.ts';
import { type LostOfItem, rescueLost, tellLost } from './rescue-lost.ts';
import { DRAINING, onStopSignals } from './signals.ts';
import { withConnections } from './with-connections.ts';

const EXAMPLES = `
Asks again for every task of the batch that was paid for and whose image is not archived, and archives what there is. So it does
where a task made several images and some of them could not be had. Needs only the archive: neither the manifest nor what Redis
knew. Never submits. The provider keeps images for 14 days.

Examples:
  $ flux-batch rescue spring-catalog
  $ flux-batch rescue spring-catalog --archive s3://pictures --json

Exit codes: 0 all that could be asked for is archived · 1 some of it is not · 3 stopped before the end.
`;

const MOST_NAMED = 50;

type Flags = ConfigFlags & DrainFlags & { json?: true };

/** `flux-batch rescue`: fetches what was submitted but is not archived. It needs only the archive's records. */
export function rescueCommand(startFleet: StartFleet): Command {
  return withConfigOptions(new Command('rescue'))
    .argument('<batch>', 'its name')
    .option('--drain-timeout <duration>', DRAIN_TIMEOUT, parseDurationOption)
    .option('--json', 'print what came of it as JSON on stdout')
    .addHelpText('after', EXAMPLES)
    .action(async (batch: string, flags: Flags) => {
      const config = loadConfig(overridesOf(flags));
      await withConnections(config, { patient: true, prove: true }, async (connections) => {
        process.exitCode = await rescue(connections, startFleet, batch, drainTimeoutMs(flags, config), flags);
      });
    });
}

async function rescue(
  connections: Connections,
  startFleet: StartFleet,
  batch: string,
  drainMs: number,
  flags: Flags,
): Promise<number> {
  const opened = await openPorts(connections);
  await checkAccounts(connections, opened);
  sayWarnings(connections);
  // Rescue never submits: neither again what failed, nor what turns out to have another item's task.
  const settings = { ...opened.settings, generationRetries: 0, onUnknown: 'hold' as const };
  const ports = { ...opened, settings };

  const stop = onStopSignals({ stopsForFaults: true, saying: DRAINING, withinMs: drainMs });
  let taken: Rescue = { asked: [], inPart: [], tooOld: [], noTask: [], unreadable: [] };
  const fleet = startFleet(connections, ports, { stages: ['poll', 'archive'], onTrouble: stop.trouble });
  try {
    const end = await watchBatch(connections, ports, {
      batch,
      enqueue: async () => {
        const again = await takeUp(connections, batch);
        taken = { ...again, asked: [...new Set([...taken.asked, ...again.asked])] };
        say(`${batch}: ${plural(again.asked.length, 'paid task')} to ask for`);
        return { items: again.asked.length, submits: 0, polls: again.asked.length };
      },
      isOver: ({ items }) => items.submitted + items.finished === 0,
      signal: stop.signal,
    });
    const drained = await fleet.drain(drainMs);
    const lost = await rescueLost(connections, ports, { batch, ids: taken.inPart, signal: stop.signal });
    await writeIndexAnyway(batch, connections, stop.late);
    const items = await rescuedItems(connections, batch, taken.asked);
    report(batch, taken, items, lost, flags);
    if (!drained) exitUndrained();
    if (stop.fault) throw stop.fault;
    if (!end.ended) return EXIT.stopped;
    const all = items.every(({ state }) => state === 'archived') && lost.every(({ left }) => left === 0);
    return all && taken.unreadable.length === 0 ? EXIT.allArchived : EXIT.someFailed;
  } catch (error) {
    stop.begin();
    if (!(await fleet.drain(drainMs))) sayUndrained();
    throw error;
  } finally {
    stop.dispose();
  }
}

function report(
  batch: string,
  { asked, tooOld, noTask, unreadable }: Rescue,
  items: readonly Rescued[],
  lost: readonly LostOfItem[],
  flags: Flags,
): void {
  const archived = items.filter(({ state }) => state === 'archived').length;
  const others = items.filter(({ state }) => state !== 'archived');
  const sum = {
    batch,
    asked: asked.length,
    archived,
    others,
    ...(lost.length > 0 && { lost }),
    tooOld,
    noTask,
    ...(unreadable.length > 0 && { unreadable }),
  };
  if (flags.json) printJson(sum, { indent: 2 });
  say(`${batch}: ${archived} of ${plural(asked.length, 'image')} rescued`);
  for (const { id, name, state, class: why, message } of others) {
    say(
      `  ${state.padEnd(9)}  ${plain(name)}  ${why ?? ''}${message ? `: ${shorten(plain(message), 160)}` : ''}  [${id}]`,
    );
  }
  tellLost(batch, lost);
  if (tooOld.length > 0) say(`${plural(tooOld.length, 'task')} not asked for: the provider has deleted their images`);
  for (const { message, taskId } of unreadable.slice(0, MOST_NAMED)) {
    say(`  unreadable  ${plain(message)}`);
    say(
      taskId === undefined
        ? '              no task could be read in it: nothing can be asked for until it is put right'
        : `              it names the task ${taskId}, which was paid for: put the record right, and rescue asks for it`,
    );
  }
  if (unreadable.length > MOST_NAMED) say(`  … and ${unreadable.length - MOST_NAMED} more that cannot be read`);
  if (noTask.length > 0) say(`${plural(noTask.length, 'submit')} without a task id: flux-batch held ${batch}`);
}
