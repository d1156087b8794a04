import type { PicturePattern } from './picture-files.ts';

/** By the end of a file's name. */
export const ROWS_FORMATS = {
  csv: 'csv',
  tsv: 'csv',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'json',
  xlsx: 'xlsx',
} as const;
export const ROWS_ENDINGS = Object.keys(ROWS_FORMATS);
export type RowsFormat = (typeof ROWS_FORMATS)[keyof typeof ROWS_FORMATS] | 'prompts' | 'pictures';

/** Which rows are wanted: those where each of these columns has one of its patterns (`*`, `?`), the first so many of them. */
export type RowsWanted = {
  where: Readonly<Record<string, readonly string[]>>;
  limit: number;
};

/** A file of rows. `path` is where it is, `shown` is its name in messages, `key` is the job's key that names it. */
export type RowsFile = {
  key: 'rows' | 'prompts' | 'inputs';
  path: string;
  shown: string;
  format: RowsFormat;
  /** Of pictures: what they are called, below `path`. */
  pictures?: PicturePattern;
  /** The sheet of a workbook; the first when undefined. */
  sheet: string | undefined;
  wanted: RowsWanted;
  /** Variables that the job uses: nested values of JSON are looked up for these. */
  names: readonly string[];
};

/** The number of a row in its file, from 1, where no column has this name. */
export const ROW_NUMBER = 'row';

/** Undefined when a file of this name holds no rows. */
export function rowsFormatOf(name: string): RowsFormat | undefined {
  const end = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return Object.entries(ROWS_FORMATS).find(([ending]) => ending === end)?.[1];
}
