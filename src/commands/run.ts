import { Command, Option } from 'commander';
import { type BatchLook, withOneLook } from '../batch/batch-look.ts';
import { isFinished } from '../batch/counts.ts';
import { enqueueManifest, refuseOtherRoute } from '../batch/enqueue.ts';
import { prioritized } from '../batch/priority.ts';
import { recountCharges } from '../batch/recount-charges.ts';
import { loadConfig } from '../config.ts';
import { UsageError } from '../errors.ts';
import type { NewItem, ProviderName } from '../items/item.ts';
import { expand, type Manifest, openManifest, type Totals } from '../manifest/manifest.ts';
import { isPart } from '../manifest/selection.ts';
import { templateText } from '../manifest/template.ts';
import { openBooks } from '../money/balance.ts';
import { requirePrices } from '../money/budget.ts';
import { costByJob, type JobCost } from '../money/cost-by-job.ts';
import { unlessAborted } from '../progress/unless-aborted.ts';
import { watchBatch } from '../progress/watch.ts';
import { plural, say } from '../text/terminal.ts';
import { checkAccounts, creditsTogether, probeAllAtStart } from '../wiring/accounts.ts';
import type { Connections } from '../wiring/connections.ts';
import { type StartFleet, WORKER_STAGES } from '../wiring/fleet.ts';
import { providersOf } from '../wiring/open-provider.ts';
import { openPorts } from '../wiring/stage-ports.ts';
import { agreesToAll } from './agree-to-all.ts';
import { spendingOf } from './agree-to-spend.ts';
import { declined } from './ask.ts';
import { refuseDryRun } from './cousins.ts';
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
import { colorOf, type Summary, summarize } from './summary.ts';
import { openGallery, tellEnd, tellFailure } from './tell-end.ts';
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
What is out of reach is waited for: the API, the archive, Redis; so is the end of a pause. --wait-at-most ends the run
instead, with 3.
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
      'end with 3 when it stands still for so long: API, archive or Redis out of reach, or a pause',
      parseDurationOption,
    )
    .option('--notify <url>', 'tell the end there: a JSON POST, as Slack takes it (FLUX_NOTIFY_URL)')
    .option('--open', 'open the gallery at the end')
    .option('-q, --quiet', 'no progress, only the end, and why it stands still')
    .option('-y, --yes', 'never ask')
    .addOption(new Option('--dry-run').hideHelp())
    .option('--json', 'print the summary as JSON on stdout')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, flags: ConfigFlags & SelectionFlags & DrainFlags & WaitFlags & Flags) => {
      if (flags.dryRun) refuseDryRun(file);
      const config = loadConfig(overridesOf(flags));
      const { manifest, totals } = await openManifest(file, openingOf(flags, config));
      tellManifest(manifest, totals);
      if (totals.items === 0) throw new UsageError('manifest-empty', `${manifest.file} has no items`);
      const opening = { patient: true, prove: true, waitAtMostMs: flags.waitAtMost };
      await withConnections(config, opening, async (opened) => {
        const connections = withOneLook(opened, manifest.batch);
        opened.closers.push(connections.look.close);
        await refuseOtherRoute(connections, manifest.batch);
        requirePrices(totals.byModel, connections.prices, config);
        const spending = spendingOf(manifest, totals);
        const agreed = await agreesToAll(connections, spending, flags);
        if (!agreed) return declined('nothing was submitted');
        await toldAtItsEnd(
          connections,
          manifest.batch,
          runBatch(connections, startFleet, {
            batch: manifest.batch,
            digest: manifest.digest,
            isPart: isPart(manifest.selection),
            remake: agreed.remake,
            items: () => prioritized(expand(manifest), flags.priority),
            count: totals.items,
            providers: providersOf(Object.keys(totals.byModel)),
            costByJob: () => costsOf(connections, manifest, totals),
            flags,
            drainTimeoutMs: drainTimeoutMs(flags, config),
            waitAtMostMs: flags.waitAtMost,
          }),
        );
      });
    });
}

type Flags = { dryRun?: true; priority: number; yes?: true; json?: true; quiet?: true; open?: true };

type Batch = {
  batch: string;
  digest: string;
  isPart: boolean;
  remake: boolean;
  items: () => ReturnType<typeof prioritized<NewItem>>;
  count: number;
  providers: readonly (readonly ProviderName[])[];
  costByJob: () => Promise<JobCost[]>;
  flags: ConfigFlags & Flags;
  drainTimeoutMs: number;
  waitAtMostMs: number | undefined;
};

/** How a run ended: told already, with a fault that stopped it. */
type RunEnd = { code: number; fault: Error | undefined };

/** An end by an error is told too: whoever has walked away is to come back. */
async function toldAtItsEnd({ config }: Connections, batch: string, run: Promise<RunEnd>): Promise<void> {
  const { code, fault } = await run.catch(async (error: unknown) => {
    await tellFailure(batch, error, error instanceof UsageError ? EXIT.usage : EXIT.stopped, config);
    throw error;
  });
  process.exitCode = code;
  if (fault) throw fault;
}

async function runBatch(
  connections: Connections & { look: BatchLook },
  startFleet: StartFleet,
  run: Batch,
): Promise<RunEnd> {
  const ports = await openPorts(connections);
  const credits = await checkAccounts(connections, ports, run.providers);
  const seen = await recountCharges(connections, run.batch);
  const opening = await openBooks(connections, run.batch, credits);
  await probeAllAtStart(ports);
  sayWarnings(connections);
  say(`${run.batch}: ${plural(run.count, 'item')} to ${connections.archive.url}`);

  const stop = onStopSignals({ stopsForFaults: true, saying: DRAINING, withinMs: run.drainTimeoutMs });
  const fleet = startFleet(connections, ports, { stages: WORKER_STAGES, onTrouble: stop.trouble });
  try {
    const watched = await watchBatch(connections, ports, {
      batch: run.batch,
      enqueue: (onProgress) =>
        enqueueManifest(connections, { ...run, ...(seen && { archived: seen }) }, run.items(), onProgress),
      // Enqueueing has the index written anew, which finds records that cannot be read any more.
      isOver: async (counts) => isFinished(counts) && !(await connections.queues.isFinishing(run.batch)),
      signal: stop.signal,
      waitAtMostMs: run.waitAtMostMs,
      quiet: run.flags.quiet === true,
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
    const summary = await summarize(run, connections, creditsTogether(ports), end, opening);
    const isStopped = !drained || stop.fault !== undefined || !end.ended;
    const code = isStopped ? EXIT.stopped : summary.allArchived ? EXIT.allArchived : EXIT.someFailed;
    await tell(summary, code, run, connections);
    if (!drained) exitUndrained();
    return { code, fault: stop.fault };
  } catch (error) {
    stop.begin();
    if (!(await fleet.drain(run.drainTimeoutMs))) sayUndrained();
    throw error;
  } finally {
    stop.dispose();
  }
}

async function tell(summary: Summary, code: number, { batch, flags }: Batch, { archive, config }: Connections) {
  if (flags.json) printJson(summary.json, { indent: 2 });
  for (const line of summary.lines) say(line, { color: colorOf(line) });
  if (flags.open) await openGallery(batch, archive.url);
  await tellEnd(batch, summary, code, config);
}

/** Empty where the manifest's files have changed since: that is no reason for a run to fail at its end. */
async function costsOf({ spending }: Connections, manifest: Manifest, { byJob }: Totals): Promise<JobCost[]> {
  return costByJob({
    items: () => expand(manifest),
    jobs: manifest.jobs.map((job) => ({ name: templateText(job.id), items: byJob[job.index] ?? 0 })),
    creditsOf: (ids) => spending.creditsOf(manifest.batch, ids),
  }).catch(() => []);
}
