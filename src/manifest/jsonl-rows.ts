import { messageOf } from '../errors.ts';
import { readLines } from './lines.ts';
import { quote } from './problems.ts';
import { MAX_ROW_CHARACTERS, type RowEvent } from './row.ts';

/**
 * One JSON object a line; blank lines are skipped. Text, numbers and truth values become variables; lists, maps and null
 * are left out, so that only a template that wants one complains. Throws an `UnreadableFile`.
 */
export async function* readJsonlRows(path: string, signal?: AbortSignal): AsyncGenerator<RowEvent> {
  let line = 0;
  for await (const text of readLines(path, signal)) {
    line++;
    if (text.length > MAX_ROW_CHARACTERS) {
      yield { kind: 'mistake', line, message: `expected a row of at most ${MAX_ROW_CHARACTERS} characters` };
      return;
    }
    if (text.trim() !== '') yield parseRow(text, line);
  }
}

function parseRow(text: string, line: number): RowEvent {
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch (error) {
    return { kind: 'mistake', line, message: `expected a JSON object on one line: ${messageOf(error)}` };
  }
  if (typeof row !== 'object' || row === null || Array.isArray(row)) {
    return { kind: 'mistake', line, message: `expected a JSON object, got ${quote(row)}` };
  }
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(row)) {
    if (name === '__proto__') return { kind: 'mistake', line, message: 'a row may not have a "__proto__"' };
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
      // JSON.parse has rounded it already: an order number would silently become another one.
      return { kind: 'mistake', line, message: `"${name}" is too long a number to be kept exactly`, hint: 'quote it' };
    }
    if (['string', 'number', 'boolean'].includes(typeof value)) values[name] = String(value);
  }
  return { kind: 'row', line, values };
}
