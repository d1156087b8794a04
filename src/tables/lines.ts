import type { Encoding } from './encoding.ts';
import { readChunks } from './read.ts';
import { MAX_ROW_CHARACTERS } from './row.ts';

/**
 * Yields lines without their ends: LF, CR LF, or the lone CR of old Macs. A line over the limit ends the reading, and only its
 * beginning is yielded, so that no file can fill the memory.
 */
export async function* readLines(path: string, encoding: Encoding, signal?: AbortSignal): AsyncGenerator<string> {
  let rest = '';
  for await (const text of readChunks(path, encoding, signal)) {
    const known = rest + text;
    // The LF of a CR LF may be the next chunk's.
    const end = known.endsWith('\r') ? known.length - 1 : known.length;
    const lines = known.slice(0, end).split(/\r\n|\n|\r/);
    rest = (lines.pop() ?? '') + known.slice(end);
    yield* lines;
    if (rest.length > MAX_ROW_CHARACTERS) break;
  }
  if (rest !== '') yield rest.replace(/\r$/, '');
}
