import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { messageOf, UsageError } from '../errors.ts';
import { rowsFormatOf } from '../tables/rows-file.ts';
import { STARTER } from './starter.ts';
import { surveyTable } from './survey-table.ts';
import { photosStarter, promptsStarter, tableStarter } from './written-starter.ts';

/** A manifest to be written: where, with which text. `about` tells what it makes, `notes` how its source was read. */
export type Starter = { path: string; text: string; about: string; notes: readonly string[] };

const PHOTO = /\.(jpe?g|png|webp)$/i;
/** What people have and what cannot be read: with what to do. */
const OTHER_TABLE = /\.(xls|xlsb|xlsm|ods|numbers|docx?|pdf|parquet)$/i;

/**
 * The manifest that uses a table, a file of prompts or a folder of photos, to be written beside it; of any other name, the
 * commented one to begin with, under that name. Throws a UsageError (`table-invalid`, `source-unusable`).
 */
export async function starterFor(source: string): Promise<Starter> {
  if (OTHER_TABLE.test(source)) {
    const hint = 'Save it as .xlsx or .csv, and give that.';
    throw new UsageError('source-unusable', `${source}: a table of this kind cannot be read`, { hint });
  }
  // `.` and `..` have no name of their own.
  const named = /(^|\/)\.\.?\/*$/.test(source) ? basename(resolve(source)) : source;
  const path = `${named.replace(/\/+$/, '').replace(/\.(csv|tsv|xlsx|jsonl|ndjson|json|txt)$/i, '')}.yaml`;
  if (rowsFormatOf(source) !== undefined) {
    const survey = await surveyTable(source);
    return {
      path,
      text: tableStarter(survey),
      about: `an image for each row of ${source}`,
      notes: survey.notes,
    };
  }
  if (/\.txt$/i.test(source)) {
    const survey = await surveyTable(source, 'prompts');
    const about = `an image for each line of ${source}`;
    return { path, text: promptsStarter(survey), about, notes: survey.notes };
  }
  if (await isFolder(source)) {
    await requirePhotos(source);
    const text = photosStarter(basename(resolve(source)));
    return { path, text, about: `an edit of each photo in ${source}`, notes: [] };
  }
  return { path: source, text: STARTER, about: '6 images, each line explained', notes: [] };
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

async function requirePhotos(folder: string): Promise<void> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new UsageError('source-unusable', `${folder} cannot be read: ${messageOf(cause)}`, { cause });
  });
  // `._lamp.jpg` is what macOS leaves beside lamp.jpg on other disks: no photo.
  if (names.some((name) => PHOTO.test(name) && !name.startsWith('.'))) return;
  const hint = `A manifest to begin with: flux-batch init ${join(folder, 'jobs.yaml')}`;
  throw new UsageError('source-unusable', `${folder} has no .jpg, .png or .webp in it`, { hint });
}
