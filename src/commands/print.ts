import { say } from '../text/terminal.ts';

/** Prints one JSON document on stdout, on one line unless it is indented. */
export function printJson(value: unknown, { indent = 0 }: { indent?: number } = {}): void {
  process.stdout.write(`${JSON.stringify(value, null, indent)}\n`);
}

/** Says on stderr what a person should know of the set-up. */
export function sayWarnings({ warnings }: { warnings: readonly string[] }): void {
  for (const warning of warnings) say(`warning: ${warning}`);
}
