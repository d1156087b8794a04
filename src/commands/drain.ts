import { InvalidArgumentError } from 'commander';
import type { Config } from '../config.ts';
import { parseDuration } from '../duration.ts';
import { messageOf } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { say } from '../terminal.ts';

/** After the answer to a submit its task id has to be recorded, with retries. */
const RECORDING_MS = 15_000;

export const DRAIN_TIMEOUT = 'how long to wait for what is under way when stopped (the submit timeout and 15s)';
export type DrainFlags = { drainTimeout?: number };

/** A submit whose answer is not waited for is one whose outcome nobody knows; all else can be done again at no cost. */
export function drainTimeoutMs(flags: DrainFlags, config: Config): number {
  return flags.drainTimeout ?? config.submitTimeoutMs + RECORDING_MS;
}

export function parseDrainTimeout(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error));
  }
}

/** The drain took too long. */
export function leaveTheRest(): never {
  say('stopped before all that was under way was recorded: others, or the next start, take it over');
  process.exit(EXIT.stopped);
}
