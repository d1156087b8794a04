import { CsvError, parse } from 'csv-parse';
import { readChunks } from './read.ts';
import { MAX_ROW_CHARACTERS, type RowEvent, type RowMistake } from './row.ts';

type CsvRecord = { record: string[]; endLine: number };

/**
 * Reads a CSV file as in RFC 4180: UTF-8, separated by commas, the first line names the columns. Blank lines are
 * skipped. Throws an `UnreadableFile`.
 */
export async function* readCsvRows(path: string, signal?: AbortSignal): AsyncGenerator<RowEvent> {
  let columns: readonly string[] | undefined;
  const lines = lineTracker();
  try {
    for await (const { record, endLine } of records(path, signal)) {
      const line = lines.startOf(record, endLine);
      if (columns === undefined) {
        columns = record.map((column) => column.trim());
        const mistakes = columnMistakes(columns, line);
        yield* mistakes;
        if (mistakes.length > 0) return;
        yield { kind: 'columns', columns };
      } else if (record.length === columns.length) {
        yield { kind: 'row', line, values: toValues(columns, record) };
      } else {
        yield wrongCount(columns.length, record.length, line);
      }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    yield { kind: 'mistake', line: lines.next(), ...explain(error) };
    return;
  }
  if (columns === undefined)
    yield { kind: 'mistake', line: 1, message: 'expected a header with the names of the columns' };
}

/**
 * Yields records chunk by chunk, collected in `on_record`. Do not read them from the parser's stream instead: when a
 * row is malformed, it drops all earlier rows of the same chunk, with their line numbers and mistakes.
 */
async function* records(path: string, signal?: AbortSignal): AsyncGenerator<CsvRecord> {
  const ready: CsvRecord[] = [];
  const parser = parse({
    bom: true,
    skip_empty_lines: true,
    // We count the columns ourselves. The parser would stop at the first wrong row.
    relax_column_count: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    max_record_size: MAX_ROW_CHARACTERS,
    on_record: (record: string[], { lines }) => {
      ready.push({ record, endLine: lines });
      return null;
    },
  });
  // The callbacks below report errors. Without a listener here, an error would end the process.
  parser.on('error', () => {});
  parser.resume();
  try {
    for await (const { bytes } of readChunks(path, signal)) {
      const error = await outcome((done) => parser.write(bytes, done));
      yield* ready.splice(0);
      if (error) throw error;
    }
    const error = await outcome((done) => parser.end(done));
    yield* ready;
    if (error) throw error;
  } finally {
    parser.destroy();
  }
}

function outcome(act: (done: (error?: Error | null) => void) => void): Promise<Error | null | undefined> {
  return new Promise((resolve) => act(resolve));
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

/**
 * Finds the line on which each record begins. The parser reports the line on which a record ends, but it counts a CR LF
 * inside quotes as two lines. The surplus is subtracted for that record and all that follow.
 */
function lineTracker() {
  let surplus = 0;
  let end = 0;
  return {
    startOf(record: readonly string[], parsersLine: number): number {
      let breaks = 0;
      for (const field of record) {
        if (!/[\r\n]/.test(field)) continue;
        breaks += field.split(/\r\n|\r|\n/).length - 1;
        surplus += field.split('\r\n').length - 1;
      }
      end = parsersLine - surplus;
      return end - breaks;
    },
    /** The line on which the record begins that could not be parsed. Blank lines before it are not counted. */
    next: () => end + 1,
  };
}

function wrongCount(expected: number, got: number, line: number): RowMistake {
  const hint = got > expected ? { hint: 'a value with a comma needs quotes' } : {};
  return {
    kind: 'mistake',
    line,
    message: `expected ${expected} values, as the header has columns, got ${got}`,
    ...hint,
  };
}

/** Our own messages. Those of the parser contain its line number, which can be wrong (see `lineTracker`). */
function explain({ code, message }: CsvError): { message: string; hint?: string } {
  const hint = 'quote the whole value and double the quotes in it';
  switch (code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return { message: 'a quote is opened and never closed', hint };
    case 'CSV_INVALID_CLOSING_QUOTE':
      return { message: 'there is text after a closing quote', hint };
    case 'INVALID_OPENING_QUOTE':
      return { message: 'there is a quote within a value', hint };
    case 'CSV_MAX_RECORD_SIZE':
      return { message: `expected a row of at most ${MAX_ROW_CHARACTERS} characters` };
    default:
      return { message };
  }
}
