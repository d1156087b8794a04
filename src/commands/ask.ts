import { createInterface } from 'node:readline/promises';

/** A question to the person at the terminal; where there is none, or who said `--yes`, the answer is yes. */
export async function agrees(question: string, flags: { yes?: true }): Promise<boolean> {
  if (flags.yes || !process.stdin.isTTY || !process.stderr.isTTY) return true;
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await dialogue.question(`${question} [y/N] `)).trim());
  } finally {
    dialogue.close();
  }
}
