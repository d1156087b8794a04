import type { PendingFile } from '../archive/archive.ts';

const CHUNK_CHARACTERS = 256 * 1024;

/** Buffers lines for a file, and appends them in larger chunks. */
export function textFile(file: PendingFile) {
  let pieces: string[] = [];
  let characters = 0;
  const flush = async () => {
    const part = Buffer.from(pieces.join(''), 'utf8');
    pieces = [];
    characters = 0;
    await file.append(part);
  };
  return {
    async add(text: string): Promise<void> {
      pieces.push(text);
      characters += text.length;
      if (characters >= CHUNK_CHARACTERS) await flush();
    },
    async commit(): Promise<void> {
      await flush();
      await file.commit();
    },
    discard: () => file.discard(),
  };
}
