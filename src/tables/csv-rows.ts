import { CsvError, parse } from 'csv-parse';
import { DELIMITER_NAMES, type Delimiter, delimiterOf } from './csv-delimiter.ts';
import type { Encoding } from './encoding.ts';
import { readChunks } from './read.ts';
import { MAX_ROW_CHARACTERS, type RowEvent } from './row.ts';
import { tableRows } from './table-rows.ts';

type CsvRecord = { record: string[]; endLine: number };

/**
 * Reads a CSV or TSV file as in RFC 4180, separated by commas, semicolons or tabs; the first line names the columns. Blank
 * lines are skipped. Throws an `UnreadableFile`.
 */
export async function* readCsvRows(path: string, encoding: Encoding, signal?: AbortSignal): AsyncGenerator<RowEvent> {
  const chunks = readChunks(path, encoding, signal);
  const first = await chunks.next();
  const head = first.done ? '' : first.value;
  const { delimiter, skip } = delimiterOf(head);
  const name = DELIMITER_NAMES[delimiter];
  const isUnsaid = delimiter === ';' || (delimiter === '\t') !== /\.tsv$/i.test(path);
  if (isUnsaid) yield { kind: 'note', message: `columns are separated by ${name}s` };
  const lines = lineTracker(skip > 0 ? 1 : 0);
  const rows = tableRows({ tooMany: `a value with a ${name} needs quotes` });
  try {
    for await (const { record, endLine } of records(head.slice(skip), chunks, delimiter)) {
      yield* rows.add(record, lines.startOf(record, endLine));
      if (!rows.isReadable) return;
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    yield { kind: 'mistake', line: lines.next(), ...explain(error) };
    return;
  }
  yield* rows.end();
}

/**
 * Yields records chunk by chunk, collected in `on_record`. Do not read them from the parser's stream instead: when a
 * row is malformed, it drops all earlier rows of the same chunk, with their line numbers and mistakes.
 */
async function* records(
  first: string,
  rest: AsyncIterable<string>,
  delimiter: Delimiter,
): AsyncGenerator<CsvRecord, void, undefined> {
  const ready: CsvRecord[] = [];
  const parser = parse({
    delimiter,
    // Between tabs, quotes are mostly text: "A sign" that says … is a value.
    relax_quotes: delimiter === '\t',
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
  const parsed = async function* (text: string) {
    const error = await outcome((done) => parser.write(text, done));
    yield* ready.splice(0);
    if (error) throw error;
  };
  try {
    yield* parsed(first);
    for await (const text of rest) yield* parsed(text);
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

/**
 * Finds the line on which each record begins. The parser reports the line on which a record ends, but it counts a CR LF
 * inside quotes as two lines. The surplus is subtracted for that record and all that follow.
 */
function lineTracker(linesBefore: number) {
  let surplus = -linesBefore;
  let end = linesBefore;
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
