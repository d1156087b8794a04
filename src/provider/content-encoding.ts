import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw, type ZlibOptions } from 'node:zlib';

/** Names that stand in `Content-Encoding` and encode nothing: some stores keep what a client sent when it uploaded. */
const PLAIN = ['', 'identity', 'none', 'aws-chunked', 'binary', 'utf-8'];

type Decode = (body: Buffer, options: ZlibOptions) => Promise<Buffer>;
const DECODERS: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  // Of the two forms the first byte tells which: RFC 1950 permits 8 as its method only.
  ['deflate', (body, options) => promisify(((body[0] ?? 0) & 15) === 8 ? inflate : inflateRaw)(body, options)],
  ['br', promisify(brotliDecompress)],
]);

/** The names in a `Content-Encoding` header that encode something, in the order in which they were applied. */
export function encodingsIn(header: string | string[] | undefined): string[] {
  const names = [header ?? '']
    .flat()
    .join(',')
    .split(',')
    .map((name) => name.trim().toLowerCase());
  return names.filter((name) => !PLAIN.includes(name));
}

/**
 * Undoes the encodings. The bytes decide, and not the header: a body that is not encoded as it says, or in a way that is not known,
 * comes back as it is. Undefined when it would be longer than `maxBytes`.
 */
export async function decoded(
  body: Buffer,
  encodings: readonly string[],
  maxBytes: number,
): Promise<Buffer | undefined> {
  let bytes = body;
  for (const name of [...encodings].reverse()) {
    const decode = DECODERS.get(name);
    if (!decode) return body;
    try {
      bytes = await decode(bytes, { maxOutputLength: maxBytes });
    } catch (thrown) {
      if (isTooLarge(thrown)) return undefined;
      return body;
    }
  }
  return bytes;
}

function isTooLarge(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_BUFFER_TOO_LARGE';
}
