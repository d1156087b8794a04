import { open } from 'node:fs/promises';
import { UsageError } from '../errors.ts';
import { rowsFormatOf } from '../tables/rows-file.ts';
import { surveyTable } from './survey-table.ts';
import { promptsLines, tableLines } from './written-starter.ts';

/** What a manifest begins with, in YAML or as JSON. */
const MANIFEST = /^\s*\{|^(version|batch|include|defaults|jobs)\s*:/m;
const PEEKED_BYTES = 64 * 1024;

/**
 * Throws a UsageError (`manifest-is-table`) when a table or a file of prompts is given in place of a manifest: with the lines
 * that make one of it. Throws `table-invalid` if it cannot be read.
 */
export async function refuseTable(path: string): Promise<void> {
  const format = rowsFormatOf(path);
  const isText = /\.txt$/i.test(path);
  if (format === undefined && !isText) return;
  // A manifest may be called .json, and even .txt.
  if ((isText || format === 'json') && MANIFEST.test(await beginningOf(path))) return;
  const survey = await surveyTable(path, isText ? 'prompts' : format);
  const lines = isText ? promptsLines(survey) : tableLines(survey);
  throw new UsageError('manifest-is-table', `${path} is ${isText ? 'a file of prompts' : 'a table'}, not a manifest`, {
    hint: `Write one beside it, of these lines, or let flux-batch init ${path} write it:\n\n${lines}`,
  });
}

async function beginningOf(path: string): Promise<string> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return '';
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(PEEKED_BYTES), 0, PEEKED_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead).replace(/^\uFEFF/, '');
  } finally {
    await file.close();
  }
}
