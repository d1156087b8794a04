import { messageOf } from '../errors.ts';
import { readLines } from './lines.ts';
import { quote } from './problems.ts';
import { MAX_ROW_CHARACTERS, type RowEvent } from './row.ts';

/**
 * Reads one JSON object per line; blank lines are skipped. Text, numbers and booleans become variables. Lists, maps and
 * null are ignored: they are a mistake only where a template uses them. Throws an `UnreadableFile`.
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
      // JSON.parse has already rounded it. An order number would silently become a different one.
      return { kind: 'mistake', line, message: `"${name}" is too long a number to be kept exactly`, hint: 'quote it' };
    }
    if (['string', 'number', 'boolean'].includes(typeof value)) values[name] = String(value);
  }
  return { kind: 'row', line, values };
}
