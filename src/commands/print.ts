import { say } from '../text/terminal.ts';

/** Prints one JSON document to stdout, on a single line by default. */
export function printJson(value: unknown, { indent = 0 }: { indent?: number } = {}): void {
  process.stdout.write(`${JSON.stringify(value, null, indent)}\n`);
}

/** Prints what a person should know about the set-up to stderr. */
export function sayWarnings({ warnings }: { warnings: readonly string[] }): void {
  for (const warning of warnings) say(`warning: ${warning}`, { level: 'warn' });
}
