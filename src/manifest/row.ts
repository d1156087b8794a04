import type { Variables } from './template.ts';

export type RowMistake = { kind: 'mistake'; line?: number; message: string; hint?: string };

/** What reading a file of rows yields, in order: the columns (not for JSONL), then rows. Rows may follow a mistake. */
export type RowEvent =
  | { kind: 'columns'; columns: readonly string[] }
  | { kind: 'row'; line: number; values: Variables }
  | RowMistake;

/** A longer line is not a row: the delimiter or the file is wrong. */
export const MAX_ROW_CHARACTERS = 1_000_000;
