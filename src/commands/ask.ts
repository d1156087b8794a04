import { createInterface } from 'node:readline/promises';
import { say } from '../text/terminal.ts';
import { EXIT } from './exit-codes.ts';

/** Whether a person is at the terminal and can answer. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks a yes/no question. Returns true without asking if `--yes` is given or nobody is at the terminal. */
export async function agrees(question: string, flags: { yes?: true }): Promise<boolean> {
  if (flags.yes || !canAsk()) return true;
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await dialogue.question(`${question} [y/N] `)).trim());
  } finally {
    dialogue.close();
  }
}

/** Reports that nothing was done because the answer was no, and sets the exit code. */
export function declined(what: string): void {
  say(what);
  process.exitCode = EXIT.stopped;
}
