import { plural } from '../text/terminal.ts';
import type { RowEvent, RowMistake } from './row.ts';

type Shape = {
  columns: readonly string[];
  /** The index in a record of each column. */
  places: readonly number[];
  /** Of those between and before the columns that have no name. */
  unnamed: readonly number[];
  /** So many cells a record has at least, and at most unless the rest is empty. */
  least: number;
  most: number;
};

/**
 * Makes rows of records of cells, the first of which names the columns. Left out are records without any value, columns without
 * name and values, and a first column of whole numbers without a name: an index, as pandas writes it.
 */
export function tableRows({ tooMany = '', isRagged = false }: { tooMany?: string; isRagged?: boolean } = {}) {
  let shape: Shape | undefined;
  let empty = 0;
  let hasIndex = false;

  function row(record: readonly string[], line: number, { columns, places, unnamed, least, most }: Shape): RowEvent {
    const last = record.findLastIndex((cell) => cell !== '') + 1;
    if ((record.length < least && !isRagged) || last > most) return wrongCount(most, record.length, line, tooMany);
    const value = (index: number) => record[index] ?? '';
    const wrong =
      last > least ? last - 1 : unnamed.find((index) => !(index === 0 ? /^\s*\d*\s*$/ : /^\s*$/).test(value(index)));
    if (wrong !== undefined) return unnamedAt(wrong, value(wrong), line);
    if (unnamed[0] === 0 && value(0).trim() !== '') hasIndex = true;
    const values: Record<string, string> = {};
    for (let index = 0; index < columns.length; index++) {
      values[columns[index] ?? ''] = record[places[index] ?? -1] ?? '';
    }
    return { kind: 'row', line, values };
  }

  return {
    /** False after a header that is wrong: its rows mean nothing. */
    isReadable: true,
    *add(record: readonly string[], line: number): Generator<RowEvent, void, undefined> {
      if (record.every((cell) => cell.trim() === '')) {
        empty++;
      } else if (shape === undefined) {
        const found = shapeOf(record, line);
        if ('mistakes' in found) {
          this.isReadable = false;
          yield* found.mistakes;
          return;
        }
        shape = found;
        yield { kind: 'columns', columns: found.columns };
      } else {
        yield row(record, line, shape);
      }
    },
    *end(): Generator<RowEvent, void, undefined> {
      if (shape === undefined) {
        yield { kind: 'mistake', line: 1, message: 'expected a header with the names of the columns' };
        return;
      }
      if (hasIndex) yield { kind: 'note', message: 'the first column, numbers without a name, is left out' };
      if (empty > 0) yield { kind: 'note', message: `${plural(empty, 'empty row')} left out` };
    },
  };
}

function shapeOf(header: readonly string[], line: number): Shape | { mistakes: RowMistake[] } {
  const names = header.map((name) => name.trim());
  const least = names.findLastIndex((name) => name !== '') + 1;
  const mistakes: RowMistake[] = [];
  for (const [index, name] of names.slice(0, least).entries()) {
    const nth = `column ${index + 1} of the header`;
    const complain = (message: string) => mistakes.push({ kind: 'mistake', line, message });
    if (name === '__proto__') complain(`${nth} may not be "__proto__"`);
    else if (name !== '' && names.indexOf(name) < index) complain(`${nth} is "${name}" again`);
  }
  if (mistakes.length > 0) return { mistakes };
  const places = names.flatMap((name, index) => (name === '' ? [] : [index]));
  const unnamed = names.slice(0, least).flatMap((name, index) => (name === '' ? [index] : []));
  return { columns: names.filter((name) => name !== ''), places, unnamed, least, most: names.length };
}

function unnamedAt(index: number, value: string, line: number): RowMistake {
  const message = `column ${index + 1} has no name in the header, and "${value.slice(0, 40)}" here`;
  return { kind: 'mistake', line, message, hint: 'name the column, or empty it' };
}

function wrongCount(expected: number, got: number, line: number, tooMany: string): RowMistake {
  const hint = got > expected && tooMany !== '' ? { hint: tooMany } : {};
  const message = `expected ${expected} values, as the header has columns, got ${got}`;
  return { kind: 'mistake', line, message, ...hint };
}
