import { stringify } from 'csv-stringify/sync';
import { COLUMNS, type Row } from './row.ts';

export const FORMATS = ['jsonl', 'csv', 'json'] as const;
export type Format = (typeof FORMATS)[number];

/** The text of a whole index, a piece for each row, so that a caller need not hold it. */
export async function* formatRows(rows: AsyncIterable<Row>, format: Format): AsyncGenerator<string> {
  switch (format) {
    case 'jsonl':
      for await (const row of rows) yield `${JSON.stringify(row)}\n`;
      return;
    case 'csv':
      yield csvLine([...COLUMNS]);
      for await (const row of rows) yield csvLine(COLUMNS.map((column) => row[column]));
      return;
    case 'json': {
      let separator = '[\n';
      for await (const row of rows) {
        yield `${separator}${JSON.stringify(row)}`;
        separator = ',\n';
      }
      yield separator === '[\n' ? '[]\n' : '\n]\n';
      return;
    }
    default:
      format satisfies never;
  }
}

/** A cell that a spreadsheet would run as a formula is defused by a leading apostrophe. */
function csvLine(cells: readonly (string | number | null)[]): string {
  return stringify([[...cells]], { escape_formulas: true });
}
