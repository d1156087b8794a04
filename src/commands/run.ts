import { Command } from 'commander';
import { isFinished } from '../batch/counts.ts';
import { enqueueManifest, refuseOtherRoute } from '../batch/enqueue.ts';
import { prioritized } from '../batch/priority.ts';
import { recountCharges } from '../batch/recount-charges.ts';
import { loadConfig } from '../config.ts';
import { UsageError } from '../errors.ts';
import { probeAtStart } from '../fleet/probe-at-start.ts';
import type { NewItem } from '../items/item.ts';
import { expand, openManifest } from '../manifest/manifest.ts';
import { isPart } from '../manifest/selection.ts';
import { openBooks } from '../money/balance.ts';
import { requirePrices } from '../money/budget.ts';
import { unlessAborted } from '../progress/unless-aborted.ts';
import { watchBatch } from '../progress/watch.ts';
import { checkAccount } from '../provider/check-account.ts';
import { plural, say } from '../text/terminal.ts';
import type { Connections } from '../wiring/connections.ts';
import { type StartFleet, WORKER_STAGES } from '../wiring/fleet.ts';
import { openPorts } from '../wiring/stage-ports.ts';
import { agreesToMakeAgain } from './agree-to-make-again.ts';
import { agreesToRemake } from './agree-to-remake.ts';
import { agreesToSpend, spendingOf } from './agree-to-spend.ts';
import { declined } from './ask.ts';
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
import { type ConfigFlags, overridesOf, parseBatchPriority, withBudgetOption, withWorkerOptions } from './options.ts';
import { printJson, sayWarnings } from './print.ts';
import { openingOf, type SelectionFlags, withSelectionOptions } from './selection.ts';
import { DRAINING, onStopSignals } from './signals.ts';
import { summarize } from './summary.ts';
import { tellManifest } from './tell-manifest.ts';
import { describeGivingUp, type WaitFlags } from './wait.ts';
import { withConnections } from './with-connections.ts';

const EXAMPLES = `
Examples:
  $ flux-batch run jobs.yaml
  $ flux-batch run jobs.yaml --archive s3://pictures/spring
  $ flux-batch run jobs.yaml --only 'teapot-*' --limit 3   a first look; the same without makes the others
  $ flux-batch run jobs.yaml --budget 1000 --yes        stops, with 3, before it costs more
  $ ON_UNKNOWN=resubmit flux-batch run jobs.yaml --json > summary.json

Running it again submits nothing that was submitted: it goes on where it stopped.
What is out of reach is waited for: the API, the archive, Redis. --wait-at-most ends the run instead, with 3.
Exit codes: 0 all archived · 1 some failed or are held · 2 something is wrong with the command, the manifest or the
configuration · 3 stopped before the end.
`;

/** `flux-batch run`: enqueues, works and watches in one process until the batch has ended. */
export function runCommand(startFleet: StartFleet): Command {
  return withSelectionOptions(withBudgetOption(withWorkerOptions(new Command('run'))))
    .argument('<manifest>', 'the YAML file; - for stdin')
    .option('--priority <number>', 'of the batch: 0 goes first, larger numbers later', parseBatchPriority, 0)
    .option('--drain-timeout <duration>', DRAIN_TIMEOUT, parseDurationOption)
    .option(
      '--wait-at-most <duration>',
      'stand still no longer for an API, archive or Redis out of reach',
      parseDurationOption,
    )
    .option('--yes', 'never ask')
    .option('--json', 'print the summary as JSON on stdout')
    .addHelpText('after', EXAMPLES)
    .action(
      async (
        file: string,
        flags: ConfigFlags & SelectionFlags & DrainFlags & WaitFlags & { priority: number; yes?: true; json?: true },
      ) => {
        const config = loadConfig(overridesOf(flags));
        const { manifest, totals } = await openManifest(file, openingOf(flags));
        tellManifest(manifest, totals);
        if (totals.items === 0) throw new UsageError('manifest-empty', `${manifest.file} has no items`);
        const opening = { patient: true, prove: true, waitAtMostMs: flags.waitAtMost };
        await withConnections(config, opening, async (connections) => {
          await refuseOtherRoute(connections, manifest.batch);
          requirePrices(totals.byModel, connections.prices, config);
          const spending = spendingOf(manifest, totals);
          const remaking = await agreesToRemake(connections, spending, flags);
          if (
            remaking === 'declined' ||
            !(await agreesToMakeAgain(connections, spending, flags)) ||
            !(await agreesToSpend(connections, spending, flags))
          ) {
            return declined('nothing was submitted');
          }
          process.exitCode = await runBatch(connections, startFleet, {
            batch: manifest.batch,
            digest: manifest.digest,
            isPart: isPart(manifest.selection),
            remake: remaking === 'agreed',
            items: () => prioritized(expand(manifest), flags.priority),
            count: totals.items,
            json: flags.json === true,
            drainTimeoutMs: drainTimeoutMs(flags, config),
            waitAtMostMs: flags.waitAtMost,
          });
        });
      },
    );
}

type Batch = {
  batch: string;
  digest: string;
  isPart: boolean;
  remake: boolean;
  items: () => ReturnType<typeof prioritized<NewItem>>;
  count: number;
  json: boolean;
  drainTimeoutMs: number;
  waitAtMostMs: number | undefined;
};

async function runBatch(connections: Connections, startFleet: StartFleet, run: Batch): Promise<number> {
  const ports = await openPorts(connections);
  const credits = await checkAccount(ports.provider, connections);
  await recountCharges(connections, run.batch);
  const opening = await openBooks(connections, run.batch, credits);
  await probeAtStart(connections, ports);
  sayWarnings(connections);
  say(`${run.batch}: ${plural(run.count, 'item')} to ${connections.archive.url}`);

  const stop = onStopSignals({ stopsForFaults: true, saying: DRAINING, withinMs: run.drainTimeoutMs });
  const fleet = startFleet(connections, ports, { stages: WORKER_STAGES, onTrouble: stop.trouble });
  try {
    const watched = await watchBatch(connections, ports, {
      batch: run.batch,
      enqueue: (onProgress) => enqueueManifest(connections, run, run.items(), onProgress),
      // Enqueueing has the index written anew, which finds records that cannot be read any more.
      isOver: async (counts) => isFinished(counts) && !(await connections.queues.isFinishing(run.batch)),
      signal: stop.signal,
      waitAtMostMs: run.waitAtMostMs,
    });
    if (watched.waitedFor) {
      say(describeGivingUp(watched.waitedFor));
      stop.begin();
    }
    const drained = await fleet.drain(run.drainTimeoutMs);
    // With what came while it drained.
    const counts = (await unlessAborted(connections.state.counts(run.batch), stop.late)) ?? watched.counts;
    const end = { ...watched, counts, ended: watched.ended || isFinished(counts) };
    if (!end.ended) await writeIndexAnyway(run.batch, connections, stop.late);
    const summary = await summarize(run.batch, connections, ports.provider, end, opening);
    if (run.json) printJson(summary.json, { indent: 2 });
    for (const line of summary.lines) say(line);
    if (!drained) exitUndrained();
    if (stop.fault) throw stop.fault;
    if (!end.ended) return EXIT.stopped;
    return summary.allArchived ? EXIT.allArchived : EXIT.someFailed;
  } catch (error) {
    stop.begin();
    if (!(await fleet.drain(run.drainTimeoutMs))) sayUndrained();
    throw error;
  } finally {
    stop.dispose();
  }
}
