import { setMaxListeners } from 'node:events';
import { FluxError, messageOf } from '../errors.ts';
import { say } from '../text/terminal.ts';
import { stopsWork } from '../wiring/fleet.ts';
import { sayUndrained } from './drain.ts';
import { EXIT } from './exit-codes.ts';

export type Stop = {
  signal: AbortSignal;
  /** Aborted when the time to drain is over. */
  late: AbortSignal;
  /** Set when a fault stopped the run. Undefined when a person did, or nobody. */
  fault: Error | undefined;
  trouble(error: unknown): void;
  /** Stops without a signal, as after an error: the time to drain begins. */
  begin(): void;
  dispose(): void;
};

export type StopOptions = {
  stopsForFaults: boolean;
  /** What a person is told at the first signal; nothing where it is left out. */
  saying?: string;
  /** The time to drain. */
  withinMs?: number;
};

export const DRAINING = 'no new submits; recording what is in flight. Once more to stop at once.';
/** After the time to drain: for the summary and for closing. Whatever hangs then is left. */
const CLOSING_MS = 10_000;

/**
 * The one place that knows signals. The first of them drains, and then the process ends within the time to drain, whatever hangs.
 * - SIGINT, SIGTERM: a person, or what supervises us. Twice: end now; what is in flight is found again by the next run.
 * - SIGHUP: the terminal was closed. The shell and the kernel may both say so, thus no number of them ends it now.
 * - An exception that nobody catches: a bug. The answers under way are recorded all the same, then the command throws `fault`.
 */
export function onStopSignals({ stopsForFaults, saying, withinMs = 0 }: StopOptions): Stop {
  const controller = new AbortController();
  const late = new AbortController();
  // Each request in flight adds a listener. Node must not take that for a leak and warn.
  setMaxListeners(0, controller.signal);
  const warned = new Set<string>();
  const begin = () => {
    if (controller.signal.aborted) return;
    controller.abort();
    setTimeout(() => late.abort(), withinMs).unref();
    setTimeout(endNow, withinMs + CLOSING_MS).unref();
  };
  const tell = (name: string) => {
    if (saying !== undefined) say(`${name}: ${saying}`);
    begin();
  };
  let asked = false;
  const onAsked = (name: string) => {
    if (asked) process.exit(EXIT.stopped);
    asked = true;
    tell(name);
  };
  let hungUp = false;
  const onHangup = (name: string) => {
    if (!hungUp && !asked) tell(name);
    hungUp = true;
  };
  const warn = (error: unknown) => {
    const code = error instanceof FluxError ? error.code : 'internal';
    if (!warned.has(code)) say(`warning: ${messageOf(error)}`, { level: 'warn' });
    warned.add(code);
  };
  const onUncaught = (error: Error) => {
    warn(error);
    stop.fault ??= error;
    begin();
  };
  const stop: Stop = {
    signal: controller.signal,
    late: late.signal,
    fault: undefined,
    trouble(error) {
      warn(error);
      if (!stopsForFaults || !stopsWork(error)) return;
      stop.fault ??= error;
      begin();
    },
    begin,
    dispose() {
      process.off('SIGINT', onAsked);
      process.off('SIGTERM', onAsked);
      process.off('uncaughtException', onUncaught);
      // The second hangup may come while we close.
      if (!hungUp) process.off('SIGHUP', onHangup);
    },
  };
  process.on('SIGINT', onAsked);
  process.on('SIGTERM', onAsked);
  process.on('SIGHUP', onHangup);
  process.on('uncaughtException', onUncaught);
  return stop;
}

function endNow(): never {
  sayUndrained();
  process.exit(EXIT.stopped);
}
