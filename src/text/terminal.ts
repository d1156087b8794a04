/** Control characters, which a prompt or a provider's message could use to steer the terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Text from users or the provider, safe to print on one line. */
export function plain(text: string): string {
  return text.replace(CONTROL, ' ');
}

/** At most so many characters, the cut shown. */
export function shorten(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** Columns aligned by padding; the last one is left as it is. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}

/** Talk goes to stderr: stdout is for data. Whatever users or the provider wrote into it, it cannot steer the terminal. */
export function say(lines = ''): void {
  process.stderr.write(`${lines.split('\n').map(plain).join('\n')}\n`);
}
