import { readChunks } from './read.ts';
import { MAX_ROW_CHARACTERS } from './row.ts';

/**
 * Yields lines without their line feeds. A line over the limit ends the reading, and only its beginning is yielded, so
 * that no file can fill the memory.
 */
export async function* readLines(path: string, signal?: AbortSignal): AsyncGenerator<string> {
  let rest = '';
  for await (const { text } of readChunks(path, signal)) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > MAX_ROW_CHARACTERS) break;
  }
  if (rest !== '') yield rest;
}
