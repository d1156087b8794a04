import { readCsvRows } from './csv-rows.ts';
import type { RowsFile } from './job.ts';
import { readJsonlRows } from './jsonl-rows.ts';
import { PROMPT_VARIABLES, readPromptLines } from './prompt-lines.ts';
import { sizeOf, UnreadableFile } from './read.ts';
import type { RowEvent, RowMistake } from './row.ts';

const READERS = { csv: readCsvRows, jsonl: readJsonlRows, prompts: readPromptLines };

export async function* readRows(file: RowsFile, signal?: AbortSignal): AsyncGenerator<RowEvent> {
  try {
    let rows = 0;
    for await (const event of READERS[file.format](file.path, signal)) {
      if (event.kind !== 'columns') rows++;
      yield event;
    }
    if (rows === 0) yield { kind: 'mistake', message: file.format === 'prompts' ? 'has no prompts' : 'has no rows' };
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    yield { kind: 'mistake', message: error.message, ...(error.line === undefined ? {} : { line: error.line }) };
  }
}

/**
 * Checks a file of rows without reading its rows. Returns the columns, where the format has them, and the mistakes that
 * prevent reading.
 */
export async function probeRows(file: RowsFile): Promise<{ columns?: readonly string[]; mistakes: RowMistake[] }> {
  if (file.format !== 'csv') {
    const columns = file.format === 'prompts' ? { columns: Object.values(PROMPT_VARIABLES) } : {};
    try {
      await sizeOf(file.path);
      return { ...columns, mistakes: [] };
    } catch (error) {
      if (error instanceof UnreadableFile) return { mistakes: [{ kind: 'mistake', message: error.message }] };
      throw error;
    }
  }
  const mistakes: RowMistake[] = [];
  for await (const event of readRows(file)) {
    if (event.kind === 'columns') return { columns: event.columns, mistakes };
    if (event.kind === 'mistake') mistakes.push(event);
  }
  return { mistakes };
}
