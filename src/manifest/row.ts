import type { Variables } from './template.ts';

export type RowMistake = { kind: 'mistake'; line?: number; message: string; hint?: string };

/** What a file of rows says, in order: the columns (of a CSV), then rows. Rows may follow a mistake. */
export type RowEvent =
  | { kind: 'columns'; columns: readonly string[] }
  | { kind: 'row'; line: number; values: Variables }
  | RowMistake;

/** Lines longer than this are a wrong delimiter or a wrong file, not a row. */
export const MAX_ROW_CHARACTERS = 1_000_000;
