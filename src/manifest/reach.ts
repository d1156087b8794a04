import { realpath } from 'node:fs/promises';
import { relative, resolve } from 'node:path';

/** Says why a file may not be read, if it may not. */
export type Reach = (path: string) => Promise<{ message: string; hint: string } | undefined>;

/**
 * Files below a folder, whatever links lead out of it: a manifest that came from somebody else must not draw, or show in a
 * message, what else is on this machine.
 */
export function reachOf(folder: string, allowOutside: boolean): Reach {
  return async (path) => {
    if (allowOutside) return undefined;
    const way = relative(await real(folder), await real(path));
    if (way !== '..' && !/^\.\.[/\\]/.test(way) && way !== resolve(way)) return undefined;
    return { message: "is outside of the manifest's folder", hint: 'move it there, or permit it by --allow-outside' };
  };
}

/** Of what does not exist the path as it is written: that it is missing is told elsewhere. */
async function real(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path));
}
