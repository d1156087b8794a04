import { readChunks } from './read.ts';
import { MAX_ROW_CHARACTERS } from './row.ts';

/** Lines without their ends. One that grows past the limit comes as it is then, so that no file can fill the memory. */
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
