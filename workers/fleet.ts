import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'bullmq';
import { redisLastSuccess } from '../src/fleet/last-success.ts';
import { redisPollHints } from '../src/fleet/poll-hints.ts';
import {
  type Finished,
  finishedSchema,
  type Item,
  itemSchema,
  type Submitted,
  submittedSchema,
} from '../src/items/item.ts';
import { SUBMIT_WAYS, submitWayOf } from '../src/items/submit-way.ts';
import { pollQueueOf, submitQueueOf } from '../src/queue/names.ts';
import { pollNow } from '../src/queue/poll-now.ts';
import { STAGES, type Stage } from '../src/queue/queues.ts';
import { watchPresence } from '../src/redis/presence.ts';
import { giveUp, type ItemStage } from '../src/stages/give-up.ts';
import type { Connections } from '../src/wiring/connections.ts';
import type { Fleet, FleetOptions } from '../src/wiring/fleet.ts';
import type { OpenedPorts } from '../src/wiring/stage-ports.ts';
import { type ArchiveLagWatch, watchArchiveLag } from './archive-lag.ts';
import { POLLS_WAITING, pollingOf, stagesByAccount, submitsAtOnce } from './by-account.ts';
import { startFeeder } from './feeder.ts';
import { finishWorker } from './finish.ts';
import { startHeartbeat } from './heartbeat.ts';
import { type IndexAhead, indexAhead } from './index-ahead.ts';
import { onlyOurRoute, type Pass, type RunStage } from './only-our-route.ts';
import { stageWorker } from './stage-worker.ts';
import { startSweep } from './sweep.ts';
import { startTellingFindings } from './tell-findings.ts';
import { watchArchive } from './watch-archive.ts';

/** Besides, for polls that callbacks ask for: those of a second at a large limit. */
const CALLED_CONCURRENCY = 8;
const ARCHIVE_CONCURRENCY = 8;

/** Starts this process's share of the fleet. Its `drain` starts nothing new, lets what is under way be recorded, and ends. */
export function startFleet(connections: Connections, ports: OpenedPorts, options: FleetOptions): Fleet {
  const stopping = new AbortController();
  // Each job under way listens to it: far more than the ten that Node takes for a leak.
  setMaxListeners(0, stopping.signal);
  const lag = watchArchiveLag(connections);
  const ahead = indexAhead(connections, ports.records);
  const noting = { ...ports, records: ahead.records };
  const starters = startersOf(connections, noting, { ...options, ahead, isBehind: lag.isBehind }, stopping.signal);
  // Whoever archives also writes the index: a batch ends with its last archived item.
  const stages = STAGES.filter((stage) => options.stages.includes(stage === 'finish' ? 'archive' : stage));
  const workers = stages.flatMap((stage) => starters[stage]());
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

/** The workers of each stage, one for each of its queues, started when it is called. */
function startersOf(
  connections: Connections,
  ports: OpenedPorts,
  { concurrency = {}, onTrouble, isBehind, ahead }: FleetOptions & Pick<ArchiveLagWatch, 'isBehind'> & Ahead,
  signal: AbortSignal,
): Record<Stage, () => Worker[]> {
  const { redis, clock, prefix, keys, routes, config } = connections;
  const { metrics, log } = ports;
  const watched = watchArchive(ports, onTrouble);
  const shared = {
    ...{ redis, clock, prefix, suffix: routes.suffix, signal },
    ...{ onTrouble: watched.onTrouble, count: metrics.count, succeeded: redisLastSuccess(redis, keys, clock).note },
  };
  const polls = pollNow(redisPollHints(redis, keys), routes);
  const ours = onlyOurRoute(connections, onTrouble);
  const places = concurrency.poll ?? POLLS_WAITING;
  const byAccount = stagesByAccount(ports, { isBehind, places, wasCalled: polls.take });
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
      SUBMIT_WAYS.map((way) =>
        stageWorker({
          ...forItems<Item>(
            'submit',
            async (item, run) => {
              if (submitWayOf(item) === way) return byAccount.submit(item, run);
              // A former version has one queue for all.
              await connections.queues.forward.submit(item);
              return { kind: 'done' };
            },
            (item, queues) => queues.forward.submit(item),
          ),
          queue: submitQueueOf(way),
          schema: itemSchema,
          concurrency: concurrency.submit ?? submitsAtOnce(ports, way),
        }),
      ),
    poll: () =>
      pollingOf(ports).map(({ lane, accounts }) =>
        stageWorker({
          ...forItems<Submitted>('poll', byAccount.poll, (item, queues) => queues.forward.poll(item, clock.now())),
          queue: pollQueueOf(lane),
          schema: submittedSchema,
          // Without callbacks nobody would sit there.
          concurrency: places * accounts + (config.callbackUrl === undefined ? 0 : CALLED_CONCURRENCY),
          isDueNow: polls.isAsked,
        }),
      ),
    archive: () => [
      stageWorker({
        ...forItems<Finished>('archive', byAccount.archive, (item, queues) => queues.forward.archive(item)),
        schema: finishedSchema,
        concurrency: concurrency.archive ?? ARCHIVE_CONCURRENCY,
      }),
    ],
    finish: () => [finishWorker({ ...connections, ahead }, shared)],
  };
}

type Ahead = { ahead: IndexAhead };
