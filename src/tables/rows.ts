import { readCsvRows } from './csv-rows.ts';
import { readJsonLines } from './json-lines.ts';
import { readJsonList } from './json-list.ts';
import { probePictureFiles, readPictureFiles } from './picture-files.ts';
import { PROMPT_VARIABLES, readPromptLines } from './prompt-lines.ts';
import { encodingOf, sizeOf, UnreadableFile } from './read.ts';
import type { RowEvent, RowMistake } from './row.ts';
import { ROW_NUMBER, type RowsFile } from './rows-file.ts';
import { wantedRows } from './wanted-rows.ts';
import { readXlsxRows } from './xlsx-rows.ts';

const NOTHING_IN: Partial<Record<RowsFile['format'], string>> = {
  prompts: 'has no prompts',
  pictures: 'there are no pictures of this name',
};

/** Yields the wanted rows of a file, and its mistakes. */
export async function* readRows(file: RowsFile, signal?: AbortSignal): AsyncGenerator<RowEvent> {
  const { format } = file;
  const wanted = wantedRows(file);
  const hasNumber = format !== 'prompts' && format !== 'pictures' && file.names.includes(ROW_NUMBER);
  let rows = 0;
  let mistakes = 0;
  try {
    for await (const event of allRows(file, signal)) {
      if (event.kind === 'mistake') mistakes++;
      if (event.kind !== 'row') {
        yield event;
        continue;
      }
      rows++;
      const values = hasNumber ? { [ROW_NUMBER]: String(rows), ...event.values } : event.values;
      if (wanted.takes(values)) yield { ...event, values };
      if (wanted.isFull()) return;
    }
    if (rows + mistakes === 0) yield { kind: 'mistake', message: NOTHING_IN[format] ?? 'has no rows' };
    yield* wanted.unmatched();
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    yield mistakeOf(error);
  }
}

async function* allRows(file: RowsFile, signal?: AbortSignal): AsyncGenerator<RowEvent> {
  const { path, format, names, sheet } = file;
  if (format === 'xlsx') {
    yield* readXlsxRows(path, sheet, [...names, ...Object.keys(file.wanted.where)]);
    return;
  }
  if (format === 'pictures') {
    yield* readPictureFiles(path, file.pictures ?? { base: '', steps: [] }, signal);
    return;
  }
  const { encoding, note } = await encodingOf(path, signal);
  if (note !== undefined) yield { kind: 'note', message: note };
  switch (format) {
    case 'csv':
      yield* readCsvRows(path, encoding, signal);
      return;
    case 'jsonl':
      yield* readJsonLines(path, encoding, names, signal);
      return;
    case 'json':
      yield* readJsonList(path, encoding, names, signal);
      return;
    case 'prompts':
      yield* readPromptLines(path, encoding, signal);
      return;
    default:
      format satisfies never;
  }
}

/**
 * Checks a file of rows without reading its rows. Returns the columns, where the format has them, and the mistakes that
 * prevent reading.
 */
export async function probeRows(file: RowsFile): Promise<{ columns?: readonly string[]; mistakes: RowMistake[] }> {
  const mistakes: RowMistake[] = [];
  try {
    if (file.pictures) return { columns: await probePictureFiles(file.path, file.pictures), mistakes };
    if (file.format === 'jsonl' || file.format === 'json' || file.format === 'prompts') {
      await sizeOf(file.path);
      return file.format === 'prompts' ? { columns: Object.values(PROMPT_VARIABLES), mistakes } : { mistakes };
    }
    for await (const event of allRows(file)) {
      if (event.kind === 'columns') return { columns: event.columns, mistakes };
      if (event.kind === 'mistake') mistakes.push(event);
    }
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    mistakes.push(mistakeOf(error));
  }
  return { mistakes };
}

function mistakeOf({ message, line, hint }: UnreadableFile): RowMistake {
  return {
    kind: 'mistake',
    message,
    ...(line === undefined ? {} : { line }),
    ...(hint === undefined ? {} : { hint }),
  };
}
