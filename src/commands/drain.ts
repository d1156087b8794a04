import { InvalidArgumentError } from 'commander';
import type { Config } from '../config.ts';
import { messageOf } from '../errors.ts';
import { parseDuration } from '../text/duration.ts';
import { say } from '../text/terminal.ts';
import { longestDrainMs } from '../wiring/fleet.ts';
import { EXIT } from './exit-codes.ts';

export const DRAIN_TIMEOUT = 'how long to wait for what is under way when stopped (the submit timeout and 15s)';
export type DrainFlags = { drainTimeout?: number };

export function drainTimeoutMs(flags: DrainFlags, config: Config): number {
  return flags.drainTimeout ?? longestDrainMs(config);
}

/** Throws what commander shows as a mistake in the option. */
export function parseDurationOption(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error));
  }
}

export function sayUndrained(): void {
  say('stopped before all that was under way was recorded: others, or the next start, take it over');
}

/** Exits at once: the drain took longer than its timeout. */
export function exitUndrained(): never {
  sayUndrained();
  process.exit(EXIT.stopped);
}
