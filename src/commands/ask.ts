import { createInterface } from 'node:readline/promises';
import { say } from '../text/terminal.ts';
import { EXIT } from './exit-codes.ts';

/** Whether somebody is at the terminal to be asked. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks the person at the terminal. The answer is yes without asking with `--yes`, or when nobody is there. */
export async function agrees(question: string, flags: { yes?: true }): Promise<boolean> {
  if (flags.yes || !canAsk()) return true;
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await dialogue.question(`${question} [y/N] `)).trim());
  } finally {
    dialogue.close();
  }
}

/** Ends a command whose question was answered with no: says so, and sets the exit code. */
export function declined(what: string): void {
  say(what);
  process.exitCode = EXIT.stopped;
}
