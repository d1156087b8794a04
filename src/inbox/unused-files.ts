import { readdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { plural } from '../text/terminal.ts';
import { isOdd } from './drop-names.ts';

const MOST_NAMED = 5;
const PICTURE = /\.(jpe?g|png|webp|gif|avif|heic|tiff?|bmp)$/i;

/**
 * The files of a folder that a manifest does not read, by their paths in it and sorted. Those that nobody has put there on purpose
 * do not count.
 */
export async function unusedFiles(folder: string, used: readonly string[]): Promise<string[]> {
  const read = new Set(used.map((path) => relative(folder, resolve(path))));
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => !read.has(path) && !path.split(/[/\\]/).some(isOdd))
    .sort();
}

/** What is said of them, if there are any: whoever put photos beside a manifest means them to be used. */
export function noteOfUnused(files: readonly string[]): string[] {
  if (files.length === 0) return [];
  const named = files.slice(0, MOST_NAMED).join(', ');
  const more = files.length > MOST_NAMED ? ` and ${files.length - MOST_NAMED} more` : '';
  const one = files.length === 1;
  const how = files.some((file) => PICTURE.test(file))
    ? '; a picture to edit is named by its path, as inputImage, or by its folder, as inputs'
    : '';
  return [`${plural(files.length, 'file')} ${one ? 'is' : 'are'} not used by the manifest: ${named}${more}${how}`];
}
