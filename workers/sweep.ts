import { hasEnded } from '../src/batch/counts.ts';
import { mayBeOver } from '../src/fleet/probe-breaker.ts';
import { leastPrice } from '../src/money/prices.ts';
import type { Connections } from '../src/wiring/connections.ts';
import type { OpenedPorts } from '../src/wiring/stage-ports.ts';

const EVERY_MS = 5_000;
/** A closed breaker is probed by one process at a time, and not with every round. */
const BREAKER_PROBE_MS = 15_000;

/**
 * What no job does: repairs a crash between a batch's last transition and the adding of its finish job and within a pause or a cancel, has an index written anew
 * that has become old, and lets a submit probe the breaker when what closed it may be over.
 */
export function startSweep(
  connections: Pick<Connections, 'state' | 'control' | 'queues' | 'log'>,
  ports: Pick<OpenedPorts, 'provider' | 'prices'>,
): { stop(): void } {
  const { state, control, queues, log } = connections;
  const sweep = async () => {
    for (const batch of await state.batches()) {
      const counts = await state.counts(batch);
      if (counts && hasEnded(counts) && counts.finishedVersion !== counts.version) await queues.finish(batch);
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
