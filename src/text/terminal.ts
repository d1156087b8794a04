import { type Color, paintFor } from './paint.ts';

/**
 * Control characters. In a prompt or a provider's message they could control the terminal (escape sequences, text
 * direction).
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is searched for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Makes text from users or the provider safe to print on one line. */
export function plain(text: string): string {
  return text.replace(CONTROL, ' ');
}

/** Makes a line of JSON safe for a terminal: what JSON leaves as it is becomes an escape. It parses to the same. */
export function plainJson(line: string): string {
  return line.replace(CONTROL, (character) =>
    character < ' ' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Cuts text to so many characters, with `…` at the cut. */
export function shorten(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** Aligns columns with spaces. The last one is not padded. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** Below this a terminal is narrow: what does not fit goes on in a line of its own, and nothing that counts is cut off. */
export const NARROW = 80;

/**
 * Breaks a line between its parts, which ` · ` or several spaces separate, and a part that is too long between its words. Each new
 * line has the indent of the first.
 */
export function wrapped(line: string, columns: number): string[] {
  if (line.length <= columns) return [line];
  const indent = /^ */.exec(line)?.[0] ?? '';
  const room = columns - indent.length;
  const parts = packed(line.slice(indent.length).split(/( · | {2,})/), room);
  return parts.flatMap((part) => packed(part.split(/( )/), room)).map((part) => indent + part);
}

/** `pieces`: parts with what separates them in between. */
function packed(pieces: readonly string[], room: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (let at = 0; at < pieces.length; at += 2) {
    const part = pieces[at] ?? '';
    const longer = current === '' ? part : current + (pieces[at - 1] ?? '') + part;
    if (current !== '' && longer.length > room) {
      lines.push(current);
      current = part;
    } else current = longer;
  }
  return [...lines, current];
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}

export type SaidAs = {
  /** `info` by default. Told only where talk is a log. */
  level?: 'info' | 'warn' | 'error';
  fields?: Readonly<Record<string, unknown>>;
  /** Of the first word, where the terminal has colours. */
  color?: Color | undefined;
};

let speak = (text: string, { color }: SaidAs): void => {
  const paint = paintFor(process.stderr);
  process.stderr.write(`${color === undefined ? text : text.replace(/\S+/, (word) => paint(color, word))}\n`);
};

/** Has everything that is said go elsewhere from now on: into the log, where all lines are to have one format. */
export function sayBy(other: typeof speak): void {
  speak = other;
}

/** Prints messages to stderr, since stdout is for data. Control characters are removed from each line. */
export function say(lines = '', as: SaidAs = {}): void {
  speak(lines.split('\n').map(plain).join('\n'), as);
}
