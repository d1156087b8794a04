import type { Encoding } from './encoding.ts';
import { jsonRow } from './json-row.ts';
import { readChunks } from './read.ts';
import { MAX_ROW_CHARACTERS, type RowEvent } from './row.ts';

type Entry = { text: string; line: number };
/** Where the reading is: before the list, before an entry, within one, behind one, or behind the list. */
type Place = 'before' | 'entry' | 'within' | 'behind' | 'after';

const NO_LIST = {
  message: 'expected a list of objects: [{ … }, { … }]',
  hint: 'or one object on each line, as .jsonl',
};

/**
 * Reads a JSON list of objects, an entry at a time, so that each has its line and the list may be larger than memory. Throws an
 * `UnreadableFile`.
 */
export async function* readJsonList(
  path: string,
  encoding: Encoding,
  names: readonly string[],
  signal?: AbortSignal,
): AsyncGenerator<RowEvent> {
  const list = listSplitter();
  for await (const text of readChunks(path, encoding, signal)) {
    for (const { text: entry, line } of list.add(text)) yield jsonRow(entry, line, names);
    const wrong = list.wrongAt();
    if (wrong === undefined) continue;
    yield { kind: 'mistake', line: wrong.line, ...wrong.why };
    return;
  }
  if (!list.isWhole()) yield { kind: 'mistake', line: list.line(), message: 'the list is not closed by ]' };
}

/** Splits the text of a list into those of its entries. Whether an entry is JSON, its parser decides. */
function listSplitter() {
  let place: Place = 'before';
  let line = 1;
  let entry = '';
  let entryLine = 1;
  let depth = 0;
  let isQuoted = false;
  let isEscaped = false;
  let wrong: { line: number; why: { message: string; hint?: string } } | undefined;

  const fail = (why: { message: string; hint?: string }) => {
    wrong = { line, why };
  };

  /** The entry goes on with this character; true while it does. */
  function within(character: string): boolean {
    if (isQuoted) {
      if (isEscaped) isEscaped = false;
      else if (character === '\\') isEscaped = true;
      else if (character === '"') isQuoted = false;
      return true;
    }
    if (character === '"') isQuoted = true;
    else if (character === '{' || character === '[') depth++;
    else if (depth > 0 && (character === '}' || character === ']')) depth--;
    else if (depth === 0 && (character === ',' || character === ']')) return false;
    return true;
  }

  return {
    *add(text: string): Generator<Entry, void, undefined> {
      let from = 0;
      for (let at = 0; at < text.length && wrong === undefined; at++) {
        const character = text.charAt(at);
        if (place === 'within') {
          if (!within(character)) {
            yield { text: entry + text.slice(from, at), line: entryLine };
            entry = '';
            place = character === ',' ? 'entry' : 'after';
          }
        } else if (!/\s/.test(character)) {
          if (place === 'before' && character === '[') place = 'behind';
          else if (place === 'behind' && character === ']') place = 'after';
          else if (place === 'entry' || place === 'behind') {
            [place, from, entryLine] = ['within', at, line];
            within(character);
          } else fail(place === 'before' ? NO_LIST : { message: 'there is text after the list' });
        }
        if (character === '\n') line++;
      }
      if (place === 'within') entry += text.slice(from);
      if (entry.length > MAX_ROW_CHARACTERS)
        fail({ message: `expected a row of at most ${MAX_ROW_CHARACTERS} characters` });
    },
    wrongAt: () => wrong,
    isWhole: () => place === 'after',
    line: () => line,
  };
}
