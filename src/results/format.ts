import { stringify } from 'csv-stringify/sync';
import { COLUMNS, type Row, rowsOfImages } from './row.ts';

export const FORMATS = ['jsonl', 'csv', 'json', 'parquet'] as const;
export type Format = (typeof FORMATS)[number];

/** Yields a whole index row by row, or some thousand rows at a time, so that the caller need not hold it. */
export async function* formatRows(rows: AsyncIterable<Row>, format: Format): AsyncGenerator<string | Uint8Array> {
  switch (format) {
    case 'parquet': {
      const { parquetOf } = await import('./parquet.ts');
      yield* parquetOf(eachImage(rows));
      return;
    }
    case 'jsonl':
      for await (const row of rows) yield jsonLine(row);
      return;
    case 'csv':
      yield CSV_HEAD;
      for await (const row of rows) yield csvLines(row);
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

export const jsonLine = (row: Row): string => `${JSON.stringify(row)}\n`;
/** A line for each image of the item. */
export const csvLines = (row: Row): string =>
  rowsOfImages(row)
    .map((one) => cells(COLUMNS.map((column) => one[column])))
    .join('');

async function* eachImage(rows: AsyncIterable<Row>): AsyncGenerator<Row> {
  for await (const row of rows) yield* rowsOfImages(row);
}

/**
 * A cell that a spreadsheet would run as a formula gets a leading apostrophe (CSV injection). So does what would become a cell
 * of its own where lists have semicolons or tabs: `x;=1+2`, although text is quoted.
 */
function cells(values: readonly (string | number | boolean | null)[]): string {
  const defused = values.map((value) => (typeof value === 'string' ? value.replace(HIDDEN_FORMULA, "$1'$2") : value));
  return stringify([defused], { escape_formulas: true, quoted_string: true, cast: { boolean: String } });
}

const HIDDEN_FORMULA = /([;\t\r\n]"*)([=+@-])/g;

export const CSV_HEAD = stringify([[...COLUMNS]]);
