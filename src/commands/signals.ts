import { setMaxListeners } from 'node:events';
import { FluxError, messageOf } from '../errors.ts';
import { say } from '../text/terminal.ts';
import { stopsWork } from '../wiring/fleet.ts';
import { EXIT } from './exit-codes.ts';

export type Stop = {
  signal: AbortSignal;
  /** Set when a fault and not a person stopped the run. */
  fault: FluxError | undefined;
  trouble(error: unknown): void;
  dispose(): void;
};

const DRAINING = 'no new submits; recording what is in flight. Once more to stop at once.';

/** SIGINT or SIGTERM once: drain. Twice: end now, what is in flight is found again by the next run. */
export function onStopSignals({
  stopsForFaults,
  saying = DRAINING,
}: {
  stopsForFaults: boolean;
  saying?: string;
}): Stop {
  const controller = new AbortController();
  // Every request under way listens, and there are many.
  setMaxListeners(0, controller.signal);
  const told = new Set<string>();
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
      if (!told.has(code)) say(`warning: ${messageOf(error)}`);
      told.add(code);
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
