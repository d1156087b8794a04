import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { FluxError, messageOf } from '../errors.ts';

/** A file cannot be read as text. `line` (1-based) is set when its bytes are not UTF-8. */
export class UnreadableFile extends FluxError {
  readonly line: number | undefined;

  constructor(message: string, options: { line?: number; cause?: unknown } = {}) {
    super('file-unreadable', message, options);
    this.line = options.line;
  }
}

/** Reads a whole text file into memory. Throws an `UnreadableFile`. */
export async function readText(path: string, maxBytes: number): Promise<{ bytes: Buffer; text: string }> {
  const size = await sizeOf(path);
  if (size > maxBytes) throw tooBig(maxBytes, `${(size / 2 ** 20).toFixed(1)} MB`);
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new UnreadableFile(reason(cause), { cause });
  });
  return { bytes, text: decoderFromLine(1)(bytes, true) };
}

/** Reads a whole stream, such as stdin, into memory. Throws an `UnreadableFile`. */
export async function readTextOf(
  stream: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<{ bytes: Buffer; text: string }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > maxBytes) throw tooBig(maxBytes, 'more');
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  return { bytes, text: decoderFromLine(1)(bytes, true) };
}

function tooBig(maxBytes: number, got: string): UnreadableFile {
  return new UnreadableFile(`expected at most ${maxBytes / 2 ** 20} MB, got ${got}`);
}

/** Reads a text file in chunks, as bytes and as text. Throws an `UnreadableFile`; for invalid UTF-8 it has the line. */
export async function* readChunks(path: string, signal?: AbortSignal): AsyncGenerator<{ bytes: Buffer; text: string }> {
  await sizeOf(path);
  const decode = decoderFromLine(1);
  try {
    const chunks: AsyncIterable<Buffer> = createReadStream(path, signal === undefined ? {} : { signal });
    for await (const bytes of chunks) yield { bytes, text: decode(bytes, false) };
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof UnreadableFile) throw cause;
    throw new UnreadableFile(reason(cause), { cause });
  }
  decode(Buffer.alloc(0), true);
}

/** In bytes. Throws an `UnreadableFile` for folders, pipes and the like: a manifest's files are read twice. */
export async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new UnreadableFile(reason(cause), { cause });
  });
  if (!found.isFile()) throw new UnreadableFile('is not a regular file');
  return found.size;
}

/** Decodes UTF-8 and strips a byte order mark. Counts lines, to report where the bytes are invalid. */
function decoderFromLine(line: number): (bytes: Buffer, last: boolean) => string {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  return (bytes, last) => {
    try {
      const text = decoder.decode(bytes, { stream: !last });
      for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) line++;
      return text;
    } catch (cause) {
      const validPart = new TextDecoder().decode(bytes).split('\uFFFD', 1)[0] ?? '';
      const badLine = line + validPart.split('\n').length - 1;
      throw new UnreadableFile('is not UTF-8 text', { line: badLine, cause });
    }
  };
}

function reason(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read (permission denied)';
  return `cannot be read: ${messageOf(thrown)}`;
}
