import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { type Answer, page } from '../answer.ts';
import type { IMAGE_FAULTS } from '../faults.ts';
import { type Format, pngChunk } from './segments.ts';

/** More than the 32 MB that our client accepts. */
const HUGE_BYTES = 33 * 1024 * 1024;
const BOMB_SIDE = 20_000;

/** Applies a fault to a good answer. */
export async function withImageFault(
  fault: (typeof IMAGE_FAULTS)[number],
  good: Answer & { body: Buffer },
  format: Format,
  url: URL,
  stallMs: number,
): Promise<Answer> {
  switch (fault) {
    case 'image-cut':
      return { ...good, sendFault: 'cut' };
    case 'image-short':
      return { ...good, body: good.body.subarray(0, Math.ceil(good.body.length / 2)) };
    case 'image-long':
      return { ...good, body: Buffer.concat([good.body, Buffer.from('<!-- and one more thing -->\n'.repeat(100))]) };
    case 'image-empty':
      return { ...good, body: Buffer.alloc(0) };
    case 'image-html':
      return page(200, 'Sign in to see this image');
    case 'image-wrong-format':
      return {
        ...good,
        body: await sharp(good.body)
          .toFormat(format === 'png' ? 'jpeg' : 'png')
          .toBuffer(),
      };
    case 'image-huge':
      return { ...good, body: Buffer.concat([good.body, Buffer.alloc(HUGE_BYTES)]), sendFault: 'unsized' };
    case 'image-bomb':
      return { ...good, headers: { 'content-type': 'image/png' }, body: bomb() };
    case 'image-redirect':
      return redirect(`${url.pathname}?redirected=1`);
    case 'image-redirect-inside':
      // The address where clouds serve a machine's credentials.
      return redirect('http://169.254.169.254/latest/meta-data/');
    case 'image-stall':
      return { ...good, sendFault: 'stall', delayMs: stallMs };
    case 'image-500':
      return { status: 500, headers: { 'content-type': 'text/plain' }, body: 'Internal Server Error' };
  }
}

function redirect(location: string): Answer {
  return { status: 302, headers: { location }, body: '' };
}

let madeBomb: Buffer | undefined;

/** A decompression bomb: a valid PNG of about 50 KB that decodes to 400 megapixels. */
function bomb(): Buffer {
  madeBomb ??= makeBomb();
  return madeBomb;
}

function makeBomb(): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(BOMB_SIDE, 0);
  header.writeUInt32BE(BOMB_SIDE, 4);
  // One bit per pixel, greyscale.
  header[8] = 1;
  const rowBytes = 1 + BOMB_SIDE / 8;
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(Buffer.alloc(rowBytes * BOMB_SIDE))),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}
