import type { Variables } from '../manifest/template.ts';

export type RowMistake = { kind: 'mistake'; line?: number; message: string; hint?: string };

/**
 * What reading a file of rows yields, in order: the columns (not for JSON), then rows. Rows may follow a mistake. A note tells
 * how the file was read where it does not say so itself, and what was left out.
 */
export type RowEvent =
  | { kind: 'columns'; columns: readonly string[] }
  | { kind: 'row'; line: number; values: Variables }
  | { kind: 'note'; message: string }
  | RowMistake;

/** A longer line is not a row: the delimiter or the file is wrong. */
export const MAX_ROW_CHARACTERS = 1_000_000;
