import { basename } from 'node:path';
import { UsageError } from '../errors.ts';
import type { Variables } from '../manifest/template.ts';
import { readRows } from '../tables/rows.ts';
import { type RowsFile, type RowsFormat, rowsFormatOf } from '../tables/rows-file.ts';

/** What a table has: enough to write a manifest for it. */
export type TableSurvey = {
  /** Its name, without folders. */
  file: string;
  columns: readonly string[];
  rows: number;
  /** Its first rows. */
  sample: readonly Variables[];
  notes: readonly string[];
};

const SAMPLE = 1_000;
const SHOWN_MISTAKES = 5;

/** Reads a whole table, or a file of prompts. Throws a UsageError (`table-invalid`) with the mistakes in it. */
export async function surveyTable(
  path: string,
  format: RowsFormat | undefined = rowsFormatOf(path),
): Promise<TableSurvey> {
  const columns = new Set<string>();
  const sample: Variables[] = [];
  const mistakes: string[] = [];
  const notes: string[] = [];
  let rows = 0;
  for await (const event of readRows(everythingOf(path, format ?? 'prompts'))) {
    if (event.kind === 'mistake') {
      const place = event.line === undefined ? path : `${path}:${event.line}`;
      mistakes.push(`${place}  ${event.message}${event.hint === undefined ? '' : `; ${event.hint}`}`);
    }
    if (event.kind === 'note') notes.push(`${path}: ${event.message}`);
    if (event.kind !== 'row') continue;
    rows++;
    if (sample.length === SAMPLE) continue;
    sample.push(event.values);
    for (const name of Object.keys(event.values)) columns.add(name);
  }
  if (mistakes.length > 0) {
    const more = mistakes.length > SHOWN_MISTAKES ? [`… and ${mistakes.length - SHOWN_MISTAKES} more`] : [];
    const lines = [...mistakes.slice(0, SHOWN_MISTAKES), ...more];
    throw new UsageError('table-invalid', `${path} cannot be read:\n${lines.join('\n')}`);
  }
  return { file: basename(path), columns: [...columns], rows, sample, notes };
}

function everythingOf(path: string, format: RowsFormat): RowsFile {
  const wanted = { where: {}, limit: Number.POSITIVE_INFINITY };
  const key = format === 'prompts' ? 'prompts' : 'rows';
  return { key, path, shown: path, format, sheet: undefined, wanted, names: [] };
}
