import { createHash } from 'node:crypto';
import type Sharp from 'sharp';
import { messageOf } from '../errors.ts';
import { endOfImage, type Sniffed, sniffFormat } from './image-bytes.ts';

export type VerifiedImage = {
  width: number;
  height: number;
  contentType: 'image/jpeg' | 'image/png';
  extension: 'jpg' | 'png';
  /** Lower-case hex, of the whole body. */
  sha256: string;
  bytes: number;
  /** WebP, the longest side at most 320 pixels. */
  thumbnail: Buffer;
};
export type Verification = { ok: true; image: VerifiedImage } | { ok: false; message: string };

/** 64 megapixels: far above what the API makes, far below what a decompression bomb needs. */
const MAX_PIXELS = 64_000_000;
const THUMBNAIL_SIDE = 320;

/**
 * Checks that a body is a complete image of the expected format, by its structure and by decoding all of it. Makes the
 * thumbnail in the same pass. With 8 at once on two cores, a JPEG of 0.2 MB takes 5 ms and an image of 2 MB takes 10 to
 * 15 ms.
 *
 * Refused are other formats, error pages, files that end early or continue after their end, and pixels that do not
 * decode. A changed byte inside a JPEG's scan is not detected: the format has no checksum.
 */
export async function verifyImage(
  body: Buffer,
  expected: 'jpeg' | 'png',
  limits: { maxPixels?: number } = {},
): Promise<Verification> {
  const found = sniffFormat(body);
  if (found !== expected) return refuse(`${describe(found, body)}, not a ${NAMES[expected]} image`);
  const end = endOfImage(body, expected);
  if (end === undefined) return refuse(`The ${NAMES[expected]} image is cut off or damaged: its end is missing`);
  if (end < body.length) return refuse(`${body.length - end} bytes follow the end of the ${NAMES[expected]} image`);
  try {
    const { width, height, thumbnail } = await decode(body, limits.maxPixels ?? MAX_PIXELS);
    const sha256 = createHash('sha256').update(body).digest('hex');
    return { ok: true, image: { ...FILE[expected], width, height, sha256, bytes: body.length, thumbnail } };
  } catch (thrown) {
    return refuse(`The ${NAMES[expected]} image does not decode: ${messageOf(thrown)}`);
  }
}

/**
 * One pass. The decoder reads every byte even when it scales down while decoding. So a truncated file is found without
 * decoding to full size (measured: as strict, and up to twice as fast).
 */
async function decode(body: Buffer, maxPixels: number) {
  const sharp = await loadSharp();
  // Not `warning`: an unusual colour profile is no reason to refuse an image that is paid for.
  const picture = sharp(body, { failOn: 'error', limitInputPixels: maxPixels });
  const { width, height } = await picture.metadata();
  const thumbnail = await picture
    .autoOrient()
    .resize({ width: THUMBNAIL_SIDE, height: THUMBNAIL_SIDE, fit: 'inside', withoutEnlargement: true })
    .webp({ quality: 80, effort: 0 })
    .toBuffer();
  return { width, height, thumbnail };
}

let loading: Promise<typeof Sharp> | undefined;

/** Loads the native library with the first image, so that `--help` starts without it. */
function loadSharp(): Promise<typeof Sharp> {
  loading ??= import('sharp').then(({ default: sharp }) => {
    // No image is decoded twice. And many images in parallel use the cores better than several threads for each.
    sharp.cache(false);
    sharp.concurrency(1);
    return sharp;
  });
  return loading;
}

const FILE = {
  jpeg: { contentType: 'image/jpeg', extension: 'jpg' },
  png: { contentType: 'image/png', extension: 'png' },
} as const;

const NAMES = { jpeg: 'JPEG', png: 'PNG', webp: 'WebP', gif: 'GIF' };

function describe(found: Sniffed, body: Buffer): string {
  if (found === 'nothing') return 'The body is empty';
  if (found === 'unknown') return 'The body is in an unknown format';
  if (found !== 'text') return `The body is a ${NAMES[found]} image`;
  return `The body is text (${JSON.stringify(body.toString('utf8', 0, 60).trim())})`;
}

const refuse = (message: string): Verification => ({ ok: false, message });
