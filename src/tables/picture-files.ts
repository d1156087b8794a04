import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { foundPath } from '../files/found-path.ts';
import { globOf } from '../text/glob.ts';
import { plural } from '../text/terminal.ts';
import { unreadable } from './read.ts';
import type { RowEvent } from './row.ts';

/** The variables of a picture: its path from the manifest's folder, its name without ending, and its folder below the pattern's. */
export const PICTURE_VARIABLES = { file: 'file', name: 'name', folder: 'folder' } as const;
const COLUMNS = Object.values(PICTURE_VARIABLES);

/** HEIC and the like are named, so that they are missed by nobody: that they cannot be taken is told when they are read. */
const PICTURE = /\.(jpe?g|png|webp)$/i;
const OTHER_PICTURE = /\.(heic|heif|avif|tiff?|gif|bmp|jxl)$/i;
const WILD = /[*?]/;
const ANY_DEPTH = '**';
const SHOWN = 3;

/** Where the pictures of a pattern are: `base` is its folder as written, `steps` what follows, a pattern for each name on the way. */
export type PicturePattern = { base: string; steps: readonly string[] };

/** `photos/*.jpg` → `photos`, `*.jpg`. Without `*` and `?` it is a folder, or one file. */
export function picturePattern(written: string): PicturePattern {
  const parts = written.split('/');
  const first = parts.findIndex((part) => WILD.test(part));
  if (first === -1 && !PICTURE.test(written)) return { base: written.replace(/(?<=.)\/+$/, ''), steps: ['*'] };
  const from = first === -1 ? parts.length - 1 : first;
  const base = parts.slice(0, from).join('/');
  return {
    base: base === '' && written.startsWith('/') ? '/' : base,
    steps: parts.slice(from).filter((part) => part !== ''),
  };
}

/**
 * Yields the pictures that a pattern names, in the order of their names. Hidden files are left out, links are followed to files only; other files are
 * left out and told of. `root`: the folder that the pattern begins in. Throws an `UnreadableFile`.
 */
export async function* readPictureFiles(
  root: string,
  { base, steps }: PicturePattern,
  signal?: AbortSignal,
): AsyncGenerator<RowEvent> {
  yield { kind: 'columns', columns: COLUMNS };
  const left: string[] = [];
  let line = 0;
  for await (const path of filesBelow(await foundPath(join(root, base)), '', steps, signal)) {
    const [, folder = '', file = ''] = /^(?:(.*)\/)?([^/]*)$/.exec(path) ?? [];
    if (!PICTURE.test(path) && !OTHER_PICTURE.test(path)) {
      left.push(path);
      continue;
    }
    const name = file.replace(/\.[^.]*$/, '');
    const from = base === '' ? path : `${base.replace(/\/$/, '')}/${path}`;
    yield { kind: 'row', line: ++line, values: { file: from, name, folder } };
  }
  if (left.length > 0) {
    const more = left.length > SHOWN ? ` and ${left.length - SHOWN} more` : '';
    yield {
      kind: 'note',
      message: `${plural(left.length, 'file')} left out that ${left.length === 1 ? 'is no picture' : 'are no pictures'}: ${left.slice(0, SHOWN).join(', ')}${more}`,
    };
  }
}

async function* filesBelow(
  root: string,
  folder: string,
  steps: readonly string[],
  signal?: AbortSignal,
): AsyncGenerator<string> {
  signal?.throwIfAborted();
  const [step = '*', ...rest] = steps;
  const isDeep = step === ANY_DEPTH;
  const wanted = globOf(isDeep ? (rest[0] ?? '*') : step);
  const isLast = isDeep ? rest.length <= 1 : rest.length === 0;
  for (const entry of await entriesOf(join(root, folder))) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (isDeep) yield* filesBelow(root, path, steps, signal);
      if (!isLast && wanted.test(entry.name)) yield* filesBelow(root, path, isDeep ? rest.slice(1) : rest, signal);
    } else if (isLast && wanted.test(entry.name)) {
      yield path;
    }
  }
}

/** The names of one folder at a time are held. */
async function entriesOf(folder: string) {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw unreadable(cause, 'there is no such folder');
  });
  return entries.filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** That a pattern's folder is there. Throws an `UnreadableFile`. */
export async function probePictureFiles(root: string, { base }: PicturePattern): Promise<readonly string[]> {
  await entriesOf(await foundPath(join(root, base)));
  return COLUMNS;
}
