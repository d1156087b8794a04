import { createHash } from 'node:crypto';
import type Sharp from 'sharp';
import { messageOf } from '../errors.ts';
import { decodeBytes } from './decode-cost.ts';
import { blanksBefore, type ImageFormat, type Sniffed, sniffFormat } from './image-bytes.ts';
import { endOfImage } from './image-end.ts';
import { memoryBudget } from './memory-budget.ts';

export type VerifiedImage = {
  format: ImageFormat;
  /** As it is shown: an orientation in its EXIF data is applied. */
  width: number;
  height: number;
  contentType: string;
  extension: string;
  /** Lower-case hex, of the whole body. */
  sha256: string;
  bytes: number;
  /** WebP, the longest side at most 320 pixels. */
  thumbnail: Buffer;
  /** What is to be stored: as it came, but without blanks before the image, with which no viewer opens it. */
  body: Buffer;
  /** What is odd about the bytes, for people. */
  remarks: string[];
};
/** Why it is none: `page`: HTML, XML, JSON or nothing, as a gateway answers in its place; `cut-off`: its end is missing. */
export type Verification =
  | { ok: true; image: VerifiedImage }
  | { ok: false; message: string; kind: 'page' | 'cut-off' | 'refused' };

export type VerifyOptions = {
  maxPixels?: number;
  /** Called when its turn has come and it is about to be decoded. */
  onDecode?: () => Promise<void>;
  /** Nothing else is decoded meanwhile: it may be what ended a process. */
  alone?: boolean;
};

/** Half as much again as the largest that a provider was seen to serve, which had 65.7 megapixels. */
const MAX_PIXELS = 100_000_000;
/** A single row can be a bomb. JPEG ends at 65,535, WebP at 16,383. */
const MAX_SIDE = 32_768;
const DECODE_TIMEOUT_S = 60;
const THUMBNAIL_SIDE = 320;
/**
 * What decoding may take at once in this process. With what is downloaded (see stages/body-room.ts) and Node's own share a worker stays
 * below 600 MB.
 */
const decodes = memoryBudget(320_000_000);

/**
 * Finds out what a body is, by its structure and by decoding all of it, and makes the thumbnail in the same pass. With 8 at once on
 * two cores, a JPEG of 0.2 MB takes 5 ms and an image of 2 MB takes 10 to 15 ms.
 *
 * Refused are pages, unknown formats, files that end early, pixels that do not decode, and what would take too much memory: the
 * header is read before anything is decoded. A changed byte inside a JPEG's scan is not detected, since the format has no checksum;
 * of an animation the first picture is decoded.
 */
export async function verifyImage(came: Buffer, options: VerifyOptions = {}): Promise<Verification> {
  const blanks = blanksBefore(came);
  const body = came.subarray(blanks);
  const found = sniffFormat(body);
  if (found === 'text' || found === 'nothing') return refuse(describe(found, body), 'page');
  if (found === 'unknown') return refuse('The body is in an unknown format');
  const name = NAMES[found];
  const end = endOfImage(body, found);
  if (end === undefined) return refuse(`The ${name} image is cut off or damaged: its end is missing`, 'cut-off');
  try {
    const decoded = await decode(body.subarray(0, end), found, options);
    if (typeof decoded === 'string') return refuse(`The ${name} image ${decoded}`);
    const remarks = [
      ...(blanks > 0 ? [`${plural(blanks)} before the image dropped`] : []),
      ...(end < body.length ? [`${plural(body.length - end)} behind the end of the image kept`] : []),
    ];
    const sha256 = sha256Of(body);
    return {
      ok: true,
      image: { format: found, ...FILE[found], ...decoded, sha256, bytes: body.length, body, remarks },
    };
  } catch (thrown) {
    // A TIFF has no end that could be missing: one that is cut off does not decode.
    const kind = found === 'tiff' ? 'cut-off' : 'refused';
    return refuse(`The ${name} image does not decode: ${messageOf(thrown)}`, kind);
  }
}

/**
 * An image whose pixels were verified, with other bytes before them, as metadata: its structure and its header are read again, and
 * nothing is decoded a second time. Resolves with a text where it is not the same image any more.
 */
export async function verifyAgain(image: VerifiedImage, body: Buffer): Promise<VerifiedImage | string> {
  const { format, width, height } = image;
  if (endOfImage(body, format) === undefined) return 'its end is missing';
  try {
    const { autoOrient } = await (await loadSharp())(body, { failOn: 'error' }).metadata();
    if (autoOrient.width !== width || autoOrient.height !== height) return 'its size is another';
  } catch (thrown) {
    return messageOf(thrown);
  }
  return { ...image, body, bytes: body.length, sha256: sha256Of(body) };
}

const sha256Of = (body: Buffer) => createHash('sha256').update(body).digest('hex');

/**
 * One pass. The decoder reads every byte even when it scales down while decoding. So a truncated file is found without
 * decoding to full size (measured: as strict, and up to twice as fast). Resolves with a text where it is refused by its header.
 */
async function decode(body: Buffer, format: ImageFormat, options: VerifyOptions) {
  const sharp = await loadSharp();
  // Not `warning`: an unusual colour profile is no reason to refuse an image that is paid for.
  const picture = sharp(body, { failOn: 'error', limitInputPixels: options.maxPixels ?? MAX_PIXELS });
  const header = await picture.metadata();
  const { width, height } = header.autoOrient;
  if (width > MAX_SIDE || height > MAX_SIDE) return `has ${width} × ${height} pixels: over ${MAX_SIDE} on a side`;
  const bytes = decodeBytes(header, format);
  if (bytes > decodes.bytes)
    return `has ${width} × ${height} pixels: decoding it would take ${megabytes(bytes)} of memory, over ${megabytes(decodes.bytes)}`;
  const release = await decodes.take(options.alone ? decodes.bytes : bytes);
  try {
    await options.onDecode?.();
    if ((header.orientation ?? 1) !== 1) picture.autoOrient();
    const thumbnail = await picture
      .resize({
        ...{ width: THUMBNAIL_SIDE, height: THUMBNAIL_SIDE, fit: 'inside', withoutEnlargement: true },
        // Nobody tells it from the default one on a thumbnail, and that takes a tenth longer in all.
        kernel: 'linear',
      })
      .webp({ quality: 80, effort: 0 })
      .timeout({ seconds: DECODE_TIMEOUT_S })
      .toBuffer();
    return { width, height, thumbnail };
  } finally {
    release();
  }
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
  webp: { contentType: 'image/webp', extension: 'webp' },
  gif: { contentType: 'image/gif', extension: 'gif' },
  avif: { contentType: 'image/avif', extension: 'avif' },
  tiff: { contentType: 'image/tiff', extension: 'tiff' },
} as const satisfies Record<ImageFormat, { contentType: string; extension: string }>;

const NAMES = { jpeg: 'JPEG', png: 'PNG', webp: 'WebP', gif: 'GIF', avif: 'AVIF', tiff: 'TIFF' };

function describe(found: Extract<Sniffed, 'text' | 'nothing'>, body: Buffer): string {
  if (found === 'nothing') return 'The body is empty';
  return `The body is text (${JSON.stringify(body.toString('utf8', 0, 60).trim())})`;
}

const plural = (bytes: number) => `${bytes} byte${bytes === 1 ? '' : 's'}`;
const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
const refuse = (message: string, kind: 'page' | 'cut-off' | 'refused' = 'refused'): Verification => ({
  ok: false,
  message,
  kind,
});
