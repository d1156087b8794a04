import { setMaxListeners } from 'node:events';
import { FluxError, messageOf } from '../errors.ts';
import { say } from '../text/terminal.ts';
import { stopsWork } from '../wiring/fleet.ts';
import { EXIT } from './exit-codes.ts';

export type Stop = {
  signal: AbortSignal;
  /** Set when a fault stopped the run. Undefined when a person did, or nobody. */
  fault: FluxError | undefined;
  trouble(error: unknown): void;
  dispose(): void;
};

const DRAINING = 'no new submits; recording what is in flight. Once more to stop at once.';

/**
 * The first SIGINT or SIGTERM aborts the signal, so that the command drains. The second exits at once; the next run finds
 * the jobs in flight again.
 */
export function onStopSignals({
  stopsForFaults,
  saying = DRAINING,
}: {
  stopsForFaults: boolean;
  saying?: string;
}): Stop {
  const controller = new AbortController();
  // Each request in flight adds a listener. Node must not take that for a leak and warn.
  setMaxListeners(0, controller.signal);
  const warned = new Set<string>();
  const onSignal = (name: string) => {
    if (controller.signal.aborted) process.exit(EXIT.stopped);
    say(`${name}: ${saying}`);
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const stop: Stop = {
    signal: controller.signal,
    fault: undefined,
    trouble(error) {
      const code = error instanceof FluxError ? error.code : 'internal';
      if (!warned.has(code)) say(`warning: ${messageOf(error)}`);
      warned.add(code);
      if (!stopsForFaults || !stopsWork(error)) return;
      stop.fault ??= error;
      controller.abort();
    },
    dispose() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
  return stop;
}
