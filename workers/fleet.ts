import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'bullmq';
import { finishedSchema, itemSchema, submittedSchema } from '../src/items/item.ts';
import { pollNow } from '../src/queue/poll-now.ts';
import { STAGES, type Stage } from '../src/queue/queues.ts';
import { archive } from '../src/stages/archive.ts';
import { giveUp } from '../src/stages/give-up.ts';
import { poll } from '../src/stages/poll.ts';
import { submit } from '../src/stages/submit.ts';
import type { Connections } from '../src/wiring/connections.ts';
import type { Fleet, FleetOptions } from '../src/wiring/fleet.ts';
import type { OpenedPorts } from '../src/wiring/stage-ports.ts';
import { finishWorker } from './finish.ts';
import { startHeartbeat } from './heartbeat.ts';
import { onlyOurRoute } from './only-our-route.ts';
import { stageWorker } from './stage-worker.ts';
import { startSweep } from './sweep.ts';

const POLL_CONCURRENCY = 16;
const ARCHIVE_CONCURRENCY = 8;

/** Starts this process's share of the fleet. Its `drain` starts nothing new, lets what is under way be recorded, and ends. */
export function startFleet(connections: Connections, ports: OpenedPorts, options: FleetOptions): Fleet {
  const stopping = new AbortController();
  // Each job under way listens to it: far more than the ten that Node takes for a leak.
  setMaxListeners(0, stopping.signal);
  const starters = startersOf(connections, ports, options, stopping.signal);
  // Whoever archives also writes the index: a batch ends with its last archived item.
  const stages = STAGES.filter((stage) => options.stages.includes(stage === 'finish' ? 'archive' : stage));
  const workers = stages.map((stage) => starters[stage]());
  const sweep = startSweep(connections, ports);
  const heartbeat = startHeartbeat(connections, options.stages);
  let drained: Promise<boolean> | undefined;

  async function drain(withinMs: number | undefined): Promise<boolean> {
    stopping.abort();
    sweep.stop();
    heartbeat.drain();
    const closed = Promise.all(workers.map((worker) => worker.close()))
      .then(() => heartbeat.stop())
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
  { concurrency = {}, onTrouble }: FleetOptions,
  signal: AbortSignal,
): Record<Stage, () => Worker> {
  const { redis, clock, prefix, keys, routes, config } = connections;
  const shared = { redis, clock, prefix, suffix: routes.suffix, signal, onTrouble };
  const polls = pollNow(redis, keys, routes);
  const ours = onlyOurRoute(connections, onTrouble);
  return {
    submit: () =>
      stageWorker({
        ...shared,
        stage: 'submit',
        schema: itemSchema,
        concurrency: concurrency.submit ?? submitConcurrency(config.rateLimit),
        run: ours(
          (item, run) => submit(item, run, ports),
          (item, queues) => queues.forward.submit(item),
        ),
        giveUp: (item, error) => giveUp(item, error, ports),
      }),
    poll: () =>
      stageWorker({
        ...shared,
        stage: 'poll',
        schema: submittedSchema,
        concurrency: concurrency.poll ?? POLL_CONCURRENCY,
        run: ours(
          (item, run) => poll(item, run, ports),
          (item, queues) => queues.forward.poll(item, clock.now()),
        ),
        isDueNow: (item) => polls.take(item),
        giveUp: (item, error) => giveUp(item, error, ports),
      }),
    archive: () =>
      stageWorker({
        ...shared,
        stage: 'archive',
        schema: finishedSchema,
        concurrency: concurrency.archive ?? ARCHIVE_CONCURRENCY,
        run: ours(
          (item, run) => archive(item, run, ports),
          (item, queues) => queues.forward.archive(item),
        ),
        giveUp: (item, error) => giveUp(item, error, ports),
      }),
    finish: () => finishWorker(connections, shared),
  };
}

/** Enough waiters for every slot to have one when its time comes, with answers that take up to about two seconds. */
function submitConcurrency({ max, windowMs }: { max: number; windowMs: number }): number {
  const perSecond = (max * 1_000) / windowMs;
  return Math.min(64, Math.max(8, Math.ceil(perSecond * 4)));
}
