import pMap from 'p-map';
import { hasEnded, isFinished, isOnRoute } from '../src/batch/counts.ts';
import { mayBeOver } from '../src/fleet/probe-breaker.ts';
import { redisPutBack } from '../src/fleet/torn-jobs.ts';
import { mendTorn } from '../src/queue/jobless.ts';
import { finishJobId } from '../src/queue/queues.ts';
import { leastIn } from '../src/wiring/accounts.ts';
import type { Connections } from '../src/wiring/connections.ts';
import type { OpenedPorts } from '../src/wiring/stage-ports.ts';
import type { ArchiveLagWatch } from './archive-lag.ts';
import { JOB_CHECK_MS, jobCheck } from './job-check.ts';
import { retention } from './retention.ts';

const EVERY_MS = 5_000;
/** There may be thousands of batches. */
const LOOKS_AT_ONCE = 64;
/** A tripped breaker is probed by one process at a time, and not in every round. */
const BREAKER_PROBE_MS = 15_000;

/**
 * Does what no job does, every few seconds in each worker:
 * - adds the finish job of a batch that has ended, where a crash came before it or the index is out of date
 * - completes a pause or a cancel that a crash cut short
 * - looks whether archiving keeps up, so that submits wait for it where it does not
 * - lets one submit probe the breaker when the reason for its trip may be over
 * - gives a job to live items that have none
 * - forgets batches that ended long ago
 */
export function startSweep(
  connections: Connections,
  ports: Pick<OpenedPorts, 'prices' | 'metrics' | 'accounts'>,
  lag: Pick<ArchiveLagWatch, 'look'>,
  jobCheckMs = JOB_CHECK_MS,
): { stop(): void } {
  const { state, control, queues, routes, redis, log } = connections;
  const putBack = redisPutBack(redis);
  const finish = async (batch: string) => {
    await queues.finish(batch);
    await mendTorn(queues.byStage.finish, finishJobId(batch), putBack);
  };
  const old = retention(connections);
  const jobs = jobCheck(connections, ports.metrics, jobCheckMs);
  let isSweeping = false;
  const sweep = async () => {
    const names = await state.liveBatches();
    const found = await pMap(names, (batch) => state.counts(batch), { concurrency: LOOKS_AT_ONCE });
    const isOver = (index: number) => !found[index] || isFinished(found[index]);
    for (const batch of names.filter((_, index) => isOver(index))) {
      // Its end was perhaps written by a worker of an older version, which does not pack.
      await state.packed.pack(batch);
      await state.leaveLive(batch);
    }
    const live = found.filter((counts) => counts !== undefined);
    // Those of other routes have queues and workers of their own.
    const batches = live.filter((counts) => isOnRoute(counts, routes.route));
    for (const counts of batches) if (hasEnded(counts) && !isFinished(counts)) await finish(counts.batch);
    await lag.look(batches.filter((counts) => !hasEnded(counts)));
    await control.mend(live);
    await probe();
    await jobs.run(batches);
    await old.run();
  };
  const probe = async () => {
    for (const account of ports.accounts.all) {
      const breaker = await account.state.breaker();
      if (!breaker || !(await account.state.isMyProbe(BREAKER_PROBE_MS))) continue;
      if (await mayBeOver(breaker, account.provider, leastIn(account, ports.prices))) await account.state.allowProbe();
    }
  };
  const timer = setInterval(
    () => {
      // While Redis is away one sweep waits for it, and not one for each turn.
      if (isSweeping) return;
      isSweeping = true;
      sweep()
        .catch((error: unknown) => log.warn({ err: error }, 'sweep failed'))
        .finally(() => {
          isSweeping = false;
        });
    },
    Math.min(EVERY_MS, jobCheckMs),
  );
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
