import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { messageOf } from '../errors.ts';
import { sizeOf, UnreadableFile } from './read.ts';
import type { RowEvent } from './row.ts';
import { tableRows } from './table-rows.ts';

/** Larger workbooks are not read as a stream if their parts are in another order. */
const MAX_BYTES = 256 * 2 ** 20;
/** A spreadsheet shows so many digits. */
const DIGITS = 15;

/**
 * Reads a sheet of an Excel workbook: the first row names the columns, cells are text as they are shown without their format.
 * Lines are row numbers. Throws an `UnreadableFile`.
 */
export async function* readXlsxRows(path: string, sheet: string | undefined): AsyncGenerator<RowEvent> {
  if ((await sizeOf(path)) > MAX_BYTES) {
    throw new UnreadableFile(`expected at most ${MAX_BYTES / 2 ** 20} MB`, { hint: 'save it as CSV' });
  }
  // Only who has a workbook needs the library.
  const { streamXlsxRows } = await import('hucre/xlsx');
  const rows = tableRows({ isRagged: true });
  const file = createReadStream(path);
  let isEmpty = true;
  try {
    for await (const { index, values } of streamXlsxRows(Readable.toWeb(file), { sheet: sheet ?? 0 })) {
      isEmpty = false;
      yield* rows.add(values.map(textOf), index + 1);
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
