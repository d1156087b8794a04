import type { Encoding } from './encoding.ts';
import { jsonRow } from './json-row.ts';
import { readLines } from './lines.ts';
import { MAX_ROW_CHARACTERS, type RowEvent } from './row.ts';

/** Reads one JSON object per line; blank lines are skipped. Throws an `UnreadableFile`. */
export async function* readJsonLines(
  path: string,
  encoding: Encoding,
  names: readonly string[],
  signal?: AbortSignal,
): AsyncGenerator<RowEvent> {
  let line = 0;
  for await (const text of readLines(path, encoding, signal)) {
    line++;
    if (text.length > MAX_ROW_CHARACTERS) {
      yield { kind: 'mistake', line, message: `expected a row of at most ${MAX_ROW_CHARACTERS} characters` };
      return;
    }
    if (text.trim() !== '') yield jsonRow(text, line, names);
  }
}
