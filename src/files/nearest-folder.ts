import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** The path itself, or the first of its parents that is there. */
export async function nearestThere(path: string): Promise<string> {
  const absolute = resolve(path);
  try {
    await stat(absolute);
    return absolute;
  } catch (error) {
    const parent = dirname(absolute);
    if (parent === absolute) throw error;
    return nearestThere(parent);
  }
}
