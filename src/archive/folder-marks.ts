import { type Stats, stat } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Marked, Versioned } from './archive.ts';
import { errorCodeOf, isLink } from './folder-errors.ts';
import { unlessMissing, versionOf } from './folder-files.ts';

const PAGE = 1_000;
/** Enough to keep the threads that ask the disk busy. */
const AT_ONCE = 32;

/**
 * Size and time of the last change. What leaves an end has another state and so, but for a rare chance, another length; and it is written
 * later than one tick of the file system's clock.
 */
const markOf = ({ size, mtimeMs }: Pick<Stats, 'size' | 'mtimeMs'>) => `${size}-${mtimeMs}`;

/** The files of a folder by name, with their marks. None when the folder does not exist. */
export async function marksIn(
  folder: string,
  onPage: (page: readonly Marked[]) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const names = (await unlessMissing(readdir(folder))) ?? [];
  for (let start = 0; start < names.length; start += PAGE) {
    signal?.throwIfAborted();
    onPage(await statAll(folder, names.slice(start, start + PAGE)));
  }
}

/** Of what is no file: whoever wants it has to look at it, and finds out. */
const NO_MARK = '';

/** A folder that is called as a file is in the place of one. */
const hasNameOfFile = (name: string) => name.includes('.');

/** A link that leads nowhere is there, too. Any other name was renamed or removed since it was read. */
async function oddOne(folder: string, name: string, error: Error): Promise<Marked[]> {
  const code = errorCodeOf(error);
  if (code !== 'ENOENT' && code !== 'ELOOP') throw error;
  return (await isLink(join(folder, name))) ? [{ key: name, mark: NO_MARK, modifiedAt: 0 }] : [];
}

/** By callbacks: promises took this twice the processor's time, which is felt at a million files. */
function statAll(folder: string, names: readonly string[]): Promise<Marked[]> {
  return new Promise((resolve, reject) => {
    const found: Marked[] = [];
    let [begun, ended] = [0, 0];
    const next = () => {
      const name = names[begun++];
      if (name === undefined) return;
      stat(join(folder, name), (error, stats) => {
        const go = () => {
          ended += 1;
          if (ended === names.length) resolve(found);
          else next();
        };
        if (error) {
          oddOne(folder, name, error).then((odd) => {
            found.push(...odd);
            go();
          }, reject);
          return;
        }
        const mark = stats.isFile() ? markOf(stats) : NO_MARK;
        if (!stats.isDirectory() || hasNameOfFile(name)) found.push({ key: name, mark, modifiedAt: stats.mtimeMs });
        go();
      });
    };
    if (names.length === 0) resolve(found);
    for (let one = 0; one < Math.min(AT_ONCE, names.length); one++) next();
  });
}

/** Of one opened file: what is renamed over its name meanwhile has another mark. */
export async function readWithMark(path: string): Promise<Versioned & { mark: string }> {
  const file = await open(path, 'r');
  try {
    const before = await file.stat();
    const body = await file.readFile();
    const mark = markOf(await file.stat());
    // Somebody edits it in its place: nothing is known of these bytes but themselves.
    return { body, version: versionOf(body), mark: mark === markOf(before) ? mark : '' };
  } finally {
    await file.close();
  }
}
