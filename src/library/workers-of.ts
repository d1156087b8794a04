import type { Config } from '../config.ts';
import type { FluxError } from '../errors.ts';
import { checkAccounts, probeAllAtStart } from '../wiring/accounts.ts';
import { longestDrainMs, type StartFleet, stopsWork, type WorkerStage } from '../wiring/fleet.ts';
import type { Workers } from './flux-batch.ts';
import type { Opened } from './opened-once.ts';

/** The workers of one FluxBatch. */
export function workersOf(startFleet: StartFleet, opened: Opened, config: Config) {
  const started: Workers[] = [];
  let fault: FluxError | undefined;

  return {
    /** What stops them; undefined while nothing does. */
    fault: () => fault,
    /** See `FluxBatch.work`. */
    async start(stages: readonly WorkerStage[]): Promise<Workers> {
      const connections = await opened.connections();
      const ports = await opened.ports();
      const { log } = connections;
      await checkAccounts(connections, ports);
      await probeAllAtStart(ports, (why, how) => log.warn({ how }, why));
      const onTrouble = (error: unknown) => {
        log.warn({ error: String(error) }, 'trouble');
        if (stopsWork(error)) fault ??= error;
      };
      opened.refuseClosed();
      fault = undefined;
      const fleet = startFleet(connections, ports, { stages, onTrouble });
      const drain = (withinMs = longestDrainMs(config)) => fleet.drain(withinMs);
      const workers = { drain, [Symbol.asyncDispose]: async () => void (await drain()) };
      started.push(workers);
      return workers;
    },
    async drainAll(): Promise<void> {
      await Promise.all(started.map((workers) => workers.drain()));
    },
  };
}
