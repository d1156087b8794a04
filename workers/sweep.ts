import { hasEnded, isOnRoute } from '../src/batch/counts.ts';
import { mayBeOver } from '../src/fleet/probe-breaker.ts';
import { leastPrice } from '../src/money/prices.ts';
import type { Connections } from '../src/wiring/connections.ts';
import type { OpenedPorts } from '../src/wiring/stage-ports.ts';

const EVERY_MS = 5_000;
/** A tripped breaker is probed by one process at a time, and not in every round. */
const BREAKER_PROBE_MS = 15_000;

/**
 * Does what no job does, every few seconds in each worker:
 * - adds the finish job of a batch that has ended, where a crash came before it or the index is out of date
 * - completes a pause or a cancel that a crash cut short
 * - lets one submit probe the breaker when the reason for its trip may be over
 */
export function startSweep(
  connections: Pick<Connections, 'state' | 'control' | 'queues' | 'routes' | 'log'>,
  ports: Pick<OpenedPorts, 'provider' | 'prices'>,
): { stop(): void } {
  const { state, control, queues, routes, log } = connections;
  const sweep = async () => {
    for (const batch of await state.batches()) {
      const counts = await state.counts(batch);
      if (counts && isOnRoute(counts, routes.route) && hasEnded(counts) && counts.finishedVersion !== counts.version)
        await queues.finish(batch);
    }
    await control.mend();
    const breaker = await state.breaker();
    if (!breaker || !(await state.isMyProbe(BREAKER_PROBE_MS))) return;
    if (await mayBeOver(breaker, ports.provider, leastPrice(ports.prices))) await state.allowProbe();
  };
  const timer = setInterval(() => {
    sweep().catch((error: unknown) => log.warn({ error: String(error) }, 'sweep failed'));
  }, EVERY_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
