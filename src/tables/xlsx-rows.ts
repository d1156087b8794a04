import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { messageOf } from '../errors.ts';
import { sizeOf, UnreadableFile } from './read.ts';
import type { RowEvent, RowMistake } from './row.ts';
import { tableRows } from './table-rows.ts';
import { uncalculatedCells } from './uncalculated.ts';

/** Larger workbooks are not read as a stream if their parts are in another order. */
const MAX_BYTES = 256 * 2 ** 20;
/** A spreadsheet shows so many digits. */
const DIGITS = 15;

/**
 * Reads a sheet of an Excel workbook: the first row names the columns, cells are text as they are shown without their format.
 * Lines are row numbers. A formula that nobody has calculated is a mistake in a column among `names`. Throws an `UnreadableFile`.
 */
export async function* readXlsxRows(
  path: string,
  sheet: string | undefined,
  names: readonly string[],
): AsyncGenerator<RowEvent> {
  if ((await sizeOf(path)) > MAX_BYTES) {
    throw new UnreadableFile(`expected at most ${MAX_BYTES / 2 ** 20} MB`, { hint: 'save it as CSV' });
  }
  // Only who has a workbook needs the library.
  const { streamXlsxRows } = await import('hucre/xlsx');
  const uncalculated = await uncalculatedCells(path, sheet);
  const rows = tableRows({ isRagged: true });
  let header: readonly string[] | undefined;
  const file = createReadStream(path);
  let isEmpty = true;
  try {
    for await (const { index, values } of streamXlsxRows(Readable.toWeb(file), { sheet: sheet ?? 0 })) {
      isEmpty = false;
      const cells = uncalculated.get(index + 1) ?? [];
      const wrong = cells.filter((cell) => header === undefined || names.includes(header[columnOf(cell)] ?? ''));
      for (const cell of wrong) yield notCalculated(cell, index + 1);
      const record = values.map(textOf);
      if (header === undefined && record.some((text) => text !== '')) header = record.map((name) => name.trim());
      else if (wrong.length > 0) continue;
      yield* rows.add(record, index + 1);
      if (!rows.isReadable) return;
    }
  } catch (cause) {
    throw new UnreadableFile(`cannot be read as an Excel workbook: ${messageOf(cause)}`, { cause });
  } finally {
    file.destroy();
  }
  if (isEmpty && sheet !== undefined) throw new UnreadableFile(`has no sheet "${sheet}", or it is empty`);
  yield* rows.end();
}

function notCalculated(cell: string, line: number): RowMistake {
  const message = `cell ${cell} has a formula that nobody has calculated, and no value`;
  return { kind: 'mistake', line, message, hint: 'open the workbook in a spreadsheet, and save it' };
}

/** `A1` → 0, `AB7` → 27 */
function columnOf(cell: string): number {
  const letters = cell.replace(/\d+$/, '');
  return [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}

/** Excel's times of a day are on the last day of 1899. */
function textOfTime(iso: string): string {
  const [date = '', time = ''] = iso.slice(0, 'yyyy-mm-ddThh:mm:ss'.length).split('T');
  if (date === '1899-12-30' || date === '1899-12-31') return time.replace(/:00$/, '');
  return time === '00:00:00' ? date : `${date} ${time.replace(/:00$/, '')}`;
}

function textOf(value: string | number | boolean | Date | null): string {
  if (value === null) return '';
  if (value instanceof Date) return textOfTime(value.toISOString());
  if (typeof value === 'number') return String(Number(value.toPrecision(DIGITS)));
  return String(value);
}
