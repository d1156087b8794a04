import { once } from 'node:events';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../config.ts';
import { say } from '../text/terminal.ts';
import { checkAccounts, probeAllAtStart } from '../wiring/accounts.ts';
import type { Connections } from '../wiring/connections.ts';
import { type StartFleet, WORKER_STAGES, type WorkerStage } from '../wiring/fleet.ts';
import { runInbox } from '../wiring/inbox.ts';
import { openPorts } from '../wiring/stage-ports.ts';
import { DRAIN_TIMEOUT, type DrainFlags, drainTimeoutMs, exitUndrained, parseDurationOption } from './drain.ts';
import { sayTaken } from './inbox.ts';
import {
  type ConfigFlags,
  type InboxFlags,
  inboxOverridesOf,
  overridesOf,
  withInboxOptions,
  withWorkerOptions,
} from './options.ts';
import { sayWarnings } from './print.ts';
import { DRAINING, onStopSignals, type Stop } from './signals.ts';
import { withConnections } from './with-connections.ts';

const EXAMPLES = `
Examples:
  $ flux-batch worker                       all stages
  $ flux-batch worker submit poll           leave archiving to others
  $ flux-batch worker archive --archive-concurrency 16
  $ flux-batch worker --inbox s3://pictures/inbox --budget-each 200
                                            and take what is dropped there, as flux-batch inbox does

SIGTERM or Ctrl-C once drains: nothing new is begun, and what is under way is recorded, within the drain timeout; twice stops
at once. A closed terminal (SIGHUP) drains too. A worker that is killed, or whose machine dies, is taken over by the others
within 15 seconds.
`;

type Flags = ConfigFlags &
  InboxFlags & { submitConcurrency?: number; pollConcurrency?: number; archiveConcurrency?: number; inbox?: string };

/** `flux-batch worker`: works as a member of the fleet until it is stopped. */
export function workerCommand(startFleet: StartFleet): Command {
  return withInboxOptions(withWorkerOptions(new Command('worker')))
    .addArgument(new Argument('[stages...]', 'all by default').choices(WORKER_STAGES))
    .option('--submit-concurrency <count>', 'submits under way or waiting (as the rate limits need)', atLeastOne)
    .option('--poll-concurrency <count>', 'polls under way, for each account (16)', atLeastOne)
    .option('--archive-concurrency <count>', 'images held in memory at once (8)', atLeastOne)
    .option('--inbox <place>', 'take what is dropped there too: a folder or s3://bucket/prefix')
    .option('--drain-timeout <duration>', DRAIN_TIMEOUT, parseDurationOption)
    .addHelpText('after', EXAMPLES)
    .action(async (stages: WorkerStage[], flags: Flags & DrainFlags) => {
      const config = loadConfig({ ...overridesOf(flags), ...inboxOverridesOf(flags, flags.inbox) });
      await withConnections(config, { patient: true, prove: true, logLevel: 'info' }, async (connections) => {
        const ports = await openPorts(connections);
        await checkAccounts(connections, ports);
        await probeAllAtStart(ports);
        sayWarnings(connections);
        const withinMs = drainTimeoutMs(flags, config);
        const stop = onStopSignals({ stopsForFaults: false, saying: DRAINING, withinMs });
        const chosen = stages.length > 0 ? stages : WORKER_STAGES;
        const fleet = startFleet(connections, ports, {
          stages: chosen,
          concurrency: concurrencyOf(flags),
          onTrouble: stop.trouble,
        });
        say(`worker ${process.pid}: ${chosen.join(', ')} to ${connections.archive.url}`);
        const inbox = flags.inbox === undefined ? undefined : alsoInbox(connections, stop);
        if (!stop.signal.aborted) await once(stop.signal, 'abort');
        await inbox;
        if (!(await fleet.drain(withinMs))) exitUndrained();
        stop.dispose();
        if (stop.fault) throw stop.fault;
      });
    });
}

/** An inbox that cannot be opened ends the worker: whoever started it waits for what is dropped there. */
async function alsoInbox(connections: Connections, stop: Stop): Promise<void> {
  await runInbox(connections, { signal: stop.signal, onTaken: sayTaken }).catch((error: unknown) => {
    stop.fault ??= error instanceof Error ? error : new Error(String(error));
    stop.begin();
  });
}

function concurrencyOf({ submitConcurrency, pollConcurrency, archiveConcurrency }: Flags) {
  return {
    ...(submitConcurrency === undefined ? {} : { submit: submitConcurrency }),
    ...(pollConcurrency === undefined ? {} : { poll: pollConcurrency }),
    ...(archiveConcurrency === undefined ? {} : { archive: archiveConcurrency }),
  };
}

function atLeastOne(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('Expected a whole number of 1 or more.');
  return count;
}
