import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'bullmq';
import { redisLastSuccess } from '../src/fleet/last-success.ts';
import type { RunningTasks } from '../src/fleet/running-tasks.ts';
import {
  type Finished,
  finishedSchema,
  type Item,
  itemSchema,
  type Submitted,
  submittedSchema,
} from '../src/items/item.ts';
import { pollNow } from '../src/queue/poll-now.ts';
import { STAGES, type Stage } from '../src/queue/queues.ts';
import { watchPresence } from '../src/redis/presence.ts';
import { archive } from '../src/stages/archive.ts';
import { giveUp, type ItemStage } from '../src/stages/give-up.ts';
import { poll } from '../src/stages/poll.ts';
import type { Ports, Run, StageOutcome } from '../src/stages/ports.ts';
import { warnOfStorm } from '../src/stages/storm-log.ts';
import { submit } from '../src/stages/submit.ts';
import { waitALittle } from '../src/stages/wait-a-little.ts';
import type { Connections } from '../src/wiring/connections.ts';
import type { Fleet, FleetOptions } from '../src/wiring/fleet.ts';
import type { NoKey } from '../src/wiring/provider-ports.ts';
import type { OpenedPorts } from '../src/wiring/stage-ports.ts';
import { type ArchiveLagWatch, watchArchiveLag } from './archive-lag.ts';
import { startFeeder } from './feeder.ts';
import { finishWorker } from './finish.ts';
import { startHeartbeat } from './heartbeat.ts';
import { type IndexAhead, indexAhead } from './index-ahead.ts';
import { onlyOurRoute, type Pass, type RunStage } from './only-our-route.ts';
import { pollSeats } from './poll-seats.ts';
import { stageWorker } from './stage-worker.ts';
import { startSweep } from './sweep.ts';
import { startTellingFindings } from './tell-findings.ts';
import { watchArchive } from './watch-archive.ts';

const POLL_CONCURRENCY = 16;
/** Besides, for polls that callbacks ask for: those of a second at a large limit. */
const CALLED_CONCURRENCY = 8;
/** Items that wait for room in another account must not keep those of the first from their slots. */
const BFL_WAITERS = 16;
const ARCHIVE_CONCURRENCY = 8;

/** Starts this process's share of the fleet. Its `drain` starts nothing new, lets what is under way be recorded, and ends. */
export function startFleet(connections: Connections, ports: OpenedPorts, options: FleetOptions): Fleet {
  const stopping = new AbortController();
  // Each job under way listens to it: far more than the ten that Node takes for a leak.
  setMaxListeners(0, stopping.signal);
  const lag = watchArchiveLag(connections);
  const ahead = indexAhead(connections);
  const noting = { ...ports, records: ahead.records };
  const starters = startersOf(connections, noting, { ...options, ahead, isBehind: lag.isBehind }, stopping.signal);
  // Whoever archives also writes the index: a batch ends with its last archived item.
  const stages = STAGES.filter((stage) => options.stages.includes(stage === 'finish' ? 'archive' : stage));
  const workers = stages.map((stage) => starters[stage]());
  const sweep = startSweep(connections, ports, lag, options.jobCheckMs);
  const feeder = startFeeder(connections);
  const heartbeat = startHeartbeat(connections, options.stages);
  const presence = watchPresence(connections.redis, connections.log);
  const telling = startTellingFindings(connections);
  let drained: Promise<boolean> | undefined;

  async function drain(withinMs: number | undefined): Promise<boolean> {
    stopping.abort();
    sweep.stop();
    telling.stop();
    heartbeat.drain();
    const closed = Promise.all([feeder.stop(), ...workers.map((worker) => worker.close())])
      .then(() => heartbeat.stop())
      .finally(() => presence.stop())
      .then(() => true);
    if (withinMs === undefined) return closed;
    const late = new AbortController();
    try {
      return await Promise.race([closed, sleep(withinMs, false, { signal: late.signal })]);
    } finally {
      late.abort();
    }
  }
  return {
    drain(withinMs) {
      drained ??= drain(withinMs);
      return drained;
    },
  };
}

/** A worker for each queue, started when it is called. */
function startersOf(
  connections: Connections,
  ports: OpenedPorts,
  { concurrency = {}, onTrouble, isBehind, ahead }: FleetOptions & Pick<ArchiveLagWatch, 'isBehind'> & Ahead,
  signal: AbortSignal,
): Record<Stage, () => Worker> {
  const { redis, clock, prefix, keys, routes, config } = connections;
  const { metrics, log } = ports;
  const watched = watchArchive(ports, onTrouble);
  const shared = {
    ...{ redis, clock, prefix, suffix: routes.suffix, signal },
    ...{ onTrouble: watched.onTrouble, count: metrics.count, succeeded: redisLastSuccess(redis, keys, clock).note },
  };
  const polls = pollNow(redis, keys, routes);
  const ours = onlyOurRoute(connections, onTrouble);
  const forProvider =
    <Data extends Item>(stage: StageOf<Data>): RunStage<Data> =>
    async (item, run) => {
      const found = await ports.portsOf(item.request);
      if ('lacksKey' in found) return waitForKey(item, found, ports);
      const { tasks, accountState: _, ...own } = found;
      return stage(item, run, { ...ports, ...own }, tasks);
    };
  const forItems = <Data extends Item>(stage: ItemStage, run: RunStage<Data>, pass: Pass<Data>) => ({
    ...shared,
    stage,
    // A poll says nothing of the archive: as a rule it only reads the provider.
    run: ours(stage === 'poll' ? run : watched.run(run), pass),
    onUnforeseen: ({ batch, id }: Data, error: unknown) =>
      log.error({ batch, item: id, stage, err: error }, 'unforeseen error, to be tried again'),
    giveUp: (item: Data, error: unknown) => giveUp(item, error, stage, ports),
  });
  return {
    submit: () =>
      stageWorker({
        ...forItems<Item>(
          'submit',
          forProvider(async (item, run, own) => (isBehind() ? waitALittle(own) : submit(item, run, own))),
          (item, queues) => queues.forward.submit(item),
        ),
        schema: itemSchema,
        concurrency: concurrency.submit ?? submitConcurrency(config.rateLimit) + (config.bfl.apiKey ? BFL_WAITERS : 0),
      }),
    poll: () => {
      const places = concurrency.poll ?? POLL_CONCURRENCY;
      const seated = pollSeats(places, clock.now);
      return stageWorker({
        ...forItems<Submitted>(
          'poll',
          forProvider(async (item, run, own, tasks) => {
            const told = { ...run, called: await polls.take(item) };
            const outcome = await seated(told, () => poll(item, told, own));
            await (outcome.kind === 'done' ? tasks?.remove(item) : tasks?.add(item));
            return outcome;
          }),
          (item, queues) => queues.forward.poll(item, clock.now()),
        ),
        schema: submittedSchema,
        // Without callbacks nobody would sit there.
        concurrency: config.callbackUrl === undefined ? places : places + CALLED_CONCURRENCY,
        isDueNow: polls.isAsked,
      });
    },
    archive: () =>
      stageWorker({
        ...forItems<Finished>(
          'archive',
          forProvider((item, run, own) => archive(item, run, own)),
          (item, queues) => queues.forward.archive(item),
        ),
        schema: finishedSchema,
        concurrency: concurrency.archive ?? ARCHIVE_CONCURRENCY,
      }),
    finish: () => finishWorker({ ...connections, ahead }, shared),
  };
}

type Ahead = { ahead: IndexAhead };
type StageOf<Data> = (item: Data, run: Run, ports: Ports, tasks: RunningTasks | undefined) => Promise<StageOutcome>;

const NO_KEY_MS = 30_000;

/** Another worker may have it. */
function waitForKey({ batch, id }: Item, { lacksKey }: NoKey, { log, now }: Ports): StageOutcome {
  const fields = { stage: 'submit', batch, item: id, reason: `${lacksKey} is not set`, remedy: `set ${lacksKey}` };
  warnOfStorm(log, `no-key-${lacksKey}`, fields, 'items of a provider whose key this worker does not have');
  return { kind: 'later', atMs: now() + NO_KEY_MS };
}

/** Enough waiters for every slot to have one when its time comes, with answers that take up to about two seconds. */
function submitConcurrency({ max, windowMs }: { max: number; windowMs: number }): number {
  const perSecond = (max * 1_000) / windowMs;
  return Math.min(64, Math.max(8, Math.ceil(perSecond * 4)));
}
