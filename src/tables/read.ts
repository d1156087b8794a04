import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { FluxError, messageOf } from '../errors.ts';
import { type Detected, detectEncoding, type Encoding } from './encoding.ts';

const NOT_TEXT = 'is not UTF-8 text';
const SAVE_AS_UTF8 = 'save it as UTF-8';

/** A file cannot be read as text. `line` (1-based) is set when its bytes are no text. */
export class UnreadableFile extends FluxError {
  readonly line: number | undefined;

  constructor(message: string, options: { line?: number; hint?: string; cause?: unknown } = {}) {
    super('file-unreadable', message, options);
    this.line = options.line;
  }
}

/** Reads a whole text file, in UTF-8 or UTF-16, into memory. Throws an `UnreadableFile`. */
export async function readText(path: string, maxBytes: number): Promise<{ bytes: Buffer; text: string }> {
  const size = await sizeOf(path);
  if (size > maxBytes) throw tooBig(maxBytes, `${(size / 2 ** 20).toFixed(1)} MB`);
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new UnreadableFile(reason(cause), { cause });
  });
  return { bytes, text: await textOf(bytes) };
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
  return { bytes, text: await textOf(bytes) };
}

/** Whoever writes a manifest can save it as UTF-8: nothing is guessed there but what cannot be mistaken. */
async function textOf(bytes: Buffer): Promise<string> {
  const detected = await detectEncoding(once(bytes));
  if ('encoding' in detected && detected.encoding !== 'windows-1252' && detected.encoding !== 'macintosh')
    return decoderOf(detected.encoding)(bytes, true);
  const strict = decoderOf('utf-8');
  return strict(bytes, true);
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

function tooBig(maxBytes: number, got: string): UnreadableFile {
  return new UnreadableFile(`expected at most ${maxBytes / 2 ** 20} MB, got ${got}`);
}

/** Reads a file once to find out its encoding. Throws an `UnreadableFile`, with the line where the bytes are no text. */
export async function encodingOf(
  path: string,
  signal?: AbortSignal,
): Promise<Extract<Detected, { encoding: Encoding }>> {
  const detected = await detectEncoding(readBytes(path, signal));
  if ('encoding' in detected) return detected;
  const { invalidLine: line, doubt } = detected;
  throw new UnreadableFile(doubt === undefined ? NOT_TEXT : `${NOT_TEXT}, and may be ${doubt}`, {
    line,
    hint: SAVE_AS_UTF8,
  });
}

/** Reads a text file in chunks. Throws an `UnreadableFile`. */
export async function* readChunks(path: string, encoding: Encoding, signal?: AbortSignal): AsyncGenerator<string> {
  const decode = decoderOf(encoding);
  for await (const bytes of readBytes(path, signal)) yield decode(bytes, false);
  yield decode(Buffer.alloc(0), true);
}

async function* readBytes(path: string, signal?: AbortSignal): AsyncGenerator<Buffer> {
  await sizeOf(path);
  try {
    const chunks: AsyncIterable<Buffer> = createReadStream(path, signal === undefined ? {} : { signal });
    yield* chunks;
  } catch (cause) {
    signal?.throwIfAborted();
    throw new UnreadableFile(reason(cause), { cause });
  }
}

/** In bytes. Throws an `UnreadableFile` for folders, pipes, devices and the like: a manifest's files are read twice. */
export async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new UnreadableFile(reason(cause), { cause });
  });
  if (!found.isFile()) throw new UnreadableFile('is not a regular file');
  return found.size;
}

/** Decodes text and strips a byte order mark. Counts lines, to report where the bytes are invalid. */
function decoderOf(encoding: Encoding): (bytes: Buffer, last: boolean) => string {
  const decoder = new TextDecoder(encoding, { fatal: true });
  let line = 1;
  return (bytes, last) => {
    try {
      const text = decoder.decode(bytes, { stream: !last });
      for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) line++;
      return text;
    } catch (cause) {
      const validPart = new TextDecoder(encoding).decode(bytes).split('\uFFFD', 1)[0] ?? '';
      const badLine = line + validPart.split('\n').length - 1;
      throw new UnreadableFile(NOT_TEXT, { line: badLine, hint: SAVE_AS_UTF8, cause });
    }
  };
}

/** What a failed call of the file system says. */
export function unreadable(cause: unknown, missing?: string): UnreadableFile {
  return new UnreadableFile(reason(cause, missing), { cause });
}

function reason(thrown: unknown, missing = 'there is no such file'): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return missing;
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read (permission denied)';
  return `cannot be read: ${messageOf(thrown)}`;
}
