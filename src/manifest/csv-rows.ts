import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { readChunks } from './read.ts';
import { MAX_ROW_CHARACTERS, type RowEvent, type RowMistake } from './row.ts';

type CsvRecord = { record: string[]; info: { lines: number } };

/**
 * A CSV as RFC 4180 has it, UTF-8, comma-separated, the first line naming the columns; blank lines are skipped. Throws an
 * `UnreadableFile`.
 */
export async function* readCsvRows(path: string, signal?: AbortSignal): AsyncGenerator<RowEvent> {
  let columns: readonly string[] | undefined;
  try {
    for await (const { record, info } of records(path, signal)) {
      // `lines` is where the record ends; quoted fields may hold lines of their own.
      const line = info.lines - record.reduce((sum, field) => sum + lineBreaks(field), 0);
      if (columns === undefined) {
        columns = record.map((column) => column.trim());
        const mistakes = columnMistakes(columns, line);
        yield* mistakes;
        if (mistakes.length > 0) return;
        yield { kind: 'columns', columns };
      } else if (record.length === columns.length) {
        yield { kind: 'row', line, values: toValues(columns, record) };
      } else {
        const hint = record.length > columns.length ? 'a value with a comma needs quotes' : undefined;
        const message = `expected ${columns.length} values, as the header has columns, got ${record.length}`;
        yield { kind: 'mistake', line, message, ...(hint === undefined ? {} : { hint }) };
      }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    yield { kind: 'mistake', line: lineOf(error), message: `is not CSV from here on: ${error.message}` };
    return;
  }
  if (columns === undefined)
    yield { kind: 'mistake', line: 1, message: 'expected a header with the names of the columns' };
}

async function* records(path: string, signal?: AbortSignal): AsyncGenerator<CsvRecord> {
  const parser = parse({
    bom: true,
    info: true,
    skip_empty_lines: true,
    // Counted by us: the parser would stop at the first row that is wrong.
    relax_column_count: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    max_record_size: MAX_ROW_CHARACTERS,
  });
  const bytes = Readable.from(onlyBytes(path, signal), { objectMode: false });
  bytes.on('error', (error) => parser.destroy(error));
  try {
    yield* bytes.pipe(parser) as AsyncIterable<CsvRecord>;
  } finally {
    bytes.destroy();
  }
}

async function* onlyBytes(path: string, signal?: AbortSignal): AsyncGenerator<Buffer> {
  for await (const { bytes } of readChunks(path, signal)) yield bytes;
}

function columnMistakes(columns: readonly string[], line: number): RowMistake[] {
  const mistakes: RowMistake[] = [];
  for (const [index, column] of columns.entries()) {
    const nth = `column ${index + 1} of the header`;
    if (column === '') mistakes.push({ kind: 'mistake', line, message: `${nth} has no name` });
    else if (column === '__proto__') mistakes.push({ kind: 'mistake', line, message: `${nth} may not be "__proto__"` });
    else if (columns.indexOf(column) < index)
      mistakes.push({ kind: 'mistake', line, message: `${nth} is "${column}" again` });
  }
  const [only = ''] = columns;
  if (columns.length === 1 && /[;\t]/.test(only)) {
    mistakes.push({
      kind: 'mistake',
      line,
      message: 'expected columns separated by commas',
      hint: 'export it as CSV with commas',
    });
  }
  return mistakes;
}

function toValues(columns: readonly string[], record: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (let index = 0; index < columns.length; index++) values[columns[index] ?? ''] = record[index] ?? '';
  return values;
}

function lineBreaks(field: string): number {
  let count = 0;
  for (let at = field.indexOf('\n'); at !== -1; at = field.indexOf('\n', at + 1)) count++;
  return count;
}

function lineOf(error: CsvError): number {
  return 'lines' in error && typeof error.lines === 'number' ? error.lines : 1;
}
