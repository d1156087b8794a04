const DELIMITERS = ['\t', ';', ','] as const;
export type Delimiter = (typeof DELIMITERS)[number];

export const DELIMITER_NAMES: Readonly<Record<Delimiter, string>> = { '\t': 'tab', ';': 'semicolon', ',': 'comma' };

/** So many lines after the header tell which of several it is. */
const LOOKED_AT = 20;
/** Excel's own way of saying it, in a line before the header. */
const SAID = /^sep=([\t;,])(\r\n|\n|\r)/i;

/**
 * Finds what separates the columns, from the beginning of a file: what the header has and, of several, what most of the
 * following lines have as often. `skip` is the length of a line that says so.
 */
export function delimiterOf(head: string): { delimiter: Delimiter; skip: number } {
  const said = SAID.exec(head);
  const saidSo = DELIMITERS.find((delimiter) => delimiter === said?.[1]);
  if (said && saidSo !== undefined) return { delimiter: saidSo, skip: said[0].length };
  const [header = '', ...lines] = head
    .split(/\r\n|\n|\r/)
    .filter((line) => line !== '')
    .slice(0, LOOKED_AT + 1);
  const candidates = DELIMITERS.map((delimiter) => {
    const columns = countOutsideQuotes(header, delimiter);
    const agreeing = lines.filter((line) => countOutsideQuotes(line, delimiter) === columns).length;
    return { delimiter, columns, agreeing };
  }).filter(({ columns }) => columns > 0);
  const [best] = candidates.sort((a, b) => b.agreeing - a.agreeing || b.columns - a.columns);
  return { delimiter: best?.delimiter ?? ',', skip: 0 };
}

function countOutsideQuotes(line: string, delimiter: Delimiter): number {
  let count = 0;
  let isQuoted = false;
  for (const character of line) {
    if (character === '"') isQuoted = !isQuoted;
    else if (character === delimiter && !isQuoted) count++;
  }
  return count;
}
