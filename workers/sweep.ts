import type { Connections } from '../src/connections.ts';
import { hasEnded } from '../src/queue/batch-state.ts';

const EVERY_MS = 5_000;

/** Repairs a crash between a batch's last transition and the adding of its finish job, and an index that has become old. */
export function startSweep({ state, queues, log }: Connections): { stop(): void } {
  const sweep = async () => {
    for (const batch of await state.batches()) {
      const counts = await state.counts(batch);
      if (counts && hasEnded(counts) && counts.finishedVersion !== counts.version) await queues.finish(batch);
    }
  };
  const timer = setInterval(() => {
    sweep().catch((error: unknown) => log.warn({ error: String(error) }, 'sweep failed'));
  }, EVERY_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
