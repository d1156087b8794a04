import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Where a file of this path is. Names with accents have two forms of Unicode, and look the same in both: programs of macOS write the one, keyboards
 * the other. A path that is not there as it is written is looked for in the other; what is in neither comes back as it was.
 */
export async function foundPath(path: string): Promise<string> {
  if (!mayHaveForms(path) || (await isThere(path))) return path;
  const parent = dirname(path);
  if (parent === path) return path;
  const folder = await foundPath(parent);
  const name = basename(path);
  const names = mayHaveForms(name) ? await readdir(folder).catch(() => []) : [];
  const wanted = name.normalize();
  return join(folder, names.find((other) => other.normalize() === wanted) ?? name);
}

const ASCII = /^[\0-\x7f]*$/;
const mayHaveForms = (text: string) => !ASCII.test(text);

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
