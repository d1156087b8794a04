import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { messageOf } from '../errors.ts';
import { CONVERT_PICTURE, type InputExtension } from '../items/input-reference.ts';
import { decodeBytes } from './decode-cost.ts';
import { loadSharp, MAX_PIXELS, MAX_SIDE } from './image.ts';
import { type ImageFormat, sniffFormat } from './image-bytes.ts';
import { memoryBudget } from './memory-budget.ts';

/** A file that can be started from. */
export type Photo = {
  /** Of the file as it is. */
  sha256: string;
  bytes: number;
  extension: InputExtension;
  /** It is shown turned or mirrored by an orientation in its EXIF data, which a provider may not heed. */
  isTurned: boolean;
};
export type PhotoMistake = { message: string; hint?: string };

const TAKEN: Partial<Record<ImageFormat, InputExtension>> = { jpeg: 'jpg', png: 'png', webp: 'webp' };
const HEAD_BYTES = 512;
const DECODED_SIDE = 64;
const DECODE_TIMEOUT_S = 60;
/** One is decoded at a time. */
const decodes = memoryBudget(320_000_000);

/**
 * Reads a file through once for its digest, and decodes all of it at a small size. Never holds the file in memory. Answers what is
 * wrong with it in words, for the line that names it.
 */
export async function examinePhoto(path: string, maxBytes: number): Promise<Photo | PhotoMistake> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return { message: 'is not a regular file' };
    if (found.size === 0) return { message: 'is empty' };
    if (found.size > maxBytes) return tooLarge(found.size, maxBytes);
    const read = await digestOf(path);
    const format = sniffFormat(read.head);
    if (format === 'text' || format === 'nothing' || format === 'unknown')
      return { message: 'is no image', ...(isHeif(read.head) && { hint: CONVERT_PICTURE }) };
    const extension = TAKEN[format];
    if (extension === undefined) return { message: `is ${format.toUpperCase()}`, hint: CONVERT_PICTURE };
    const decoded = await decode(path, format);
    if ('message' in decoded) return decoded;
    return { sha256: read.sha256, bytes: read.bytes, extension, ...decoded };
  } catch (thrown) {
    return { message: reason(thrown) };
  }
}

async function digestOf(path: string): Promise<{ sha256: string; bytes: number; head: Buffer }> {
  const hash = createHash('sha256');
  let head = Buffer.alloc(0);
  let bytes = 0;
  const chunks: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: 2 ** 18 });
  for await (const chunk of chunks) {
    if (bytes === 0) head = Buffer.from(chunk.subarray(0, HEAD_BYTES));
    bytes += chunk.length;
    hash.update(chunk);
  }
  return { sha256: hash.digest('hex'), bytes, head };
}

async function decode(path: string, format: ImageFormat): Promise<{ isTurned: boolean } | PhotoMistake> {
  const sharp = await loadSharp();
  try {
    // Without a limit of its own, whose words would name no size: the header says it before anything is decoded.
    const picture = sharp(path, { failOn: 'error', limitInputPixels: false });
    const header = await picture.metadata();
    const { width, height, orientation = 1 } = header;
    const bytes = decodeBytes(header, format);
    if (width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS || bytes > decodes.bytes)
      return { message: `has ${width} × ${height} pixels, which is too large`, hint: 'scale it down' };
    const release = await decodes.take(decodes.bytes);
    try {
      // The decoder reads every byte also when it scales down while decoding.
      await picture
        .resize(DECODED_SIDE, DECODED_SIDE, { fit: 'inside' })
        .timeout({ seconds: DECODE_TIMEOUT_S })
        .raw()
        .toBuffer();
    } finally {
      release();
    }
    return { isTurned: orientation > 1 };
  } catch (thrown) {
    return { message: `does not decode: ${messageOf(thrown).split('\n')[0]?.replaceAll(path, '').trim()}` };
  }
}

/** A photo of a telephone, as a rule. */
function isHeif(head: Buffer): boolean {
  return head.toString('latin1', 4, 8) === 'ftyp';
}

export function tooLarge(bytes: number, maxBytes: number): PhotoMistake {
  const mb = (size: number) => `${Number((size / 1e6).toFixed(1))} MB`;
  return { message: `expected at most ${mb(maxBytes)}, got ${mb(bytes)}`, hint: 'scale it down' };
}

function reason(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read (permission denied)';
  return `cannot be read: ${messageOf(thrown)}`;
}
