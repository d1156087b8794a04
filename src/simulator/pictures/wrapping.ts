import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import type { Answer } from '../answer.ts';
import type { WRAPPING_FAULTS } from '../faults.ts';
import { type Format, gifCommented, padded, stamped } from './segments.ts';

const BYTES_OF_33_MB = 33 * 1024 * 1024;
/** 65.7 megapixels. */
const [WIDE, HIGH] = [8_192, 8_024];

type Good = Answer & { body: Buffer };

/** A whole image as providers and their hosts serve it besides: in another format, with bytes around it, encoded, with another status. */
export async function wrapped(
  fault: (typeof WRAPPING_FAULTS)[number],
  good: Good,
  format: Format,
  comment: string,
): Promise<Answer> {
  const withBody = (body: Buffer): Answer => ({ ...good, body });
  const encoded = (encoding: string, body = good.body): Answer => ({
    ...withBody(body),
    headers: { ...good.headers, 'content-encoding': encoding },
  });
  const picture = () => sharp(good.body).withXmp(`<x:xmpmeta xmlns:x="adobe:ns:meta/">${comment}</x:xmpmeta>`);
  const last = good.body.length - 1;
  switch (fault) {
    case 'image-webp':
      return withBody(await picture().webp().toBuffer());
    case 'image-avif':
      return withBody(await picture().avif({ effort: 0 }).toBuffer());
    case 'image-tiff':
      return withBody(await picture().tiff().toBuffer());
    case 'image-gif':
      return withBody(gifCommented(await sharp(good.body).gif().toBuffer(), comment));
    case 'image-mpo': {
      const first = stamped(await sharp(good.body).jpeg().toBuffer(), 'jpeg', comment);
      return withBody(Buffer.concat([first, await sharp(good.body).resize(32).jpeg().toBuffer()]));
    }
    case 'image-turned':
      return withBody(stamped(await as(format, sharp(good.body).withMetadata({ orientation: 6 })), format, comment));
    case 'image-newline-behind':
      return withBody(Buffer.concat([good.body, Buffer.from('\n')]));
    case 'image-nuls-behind':
      return withBody(Buffer.concat([good.body, Buffer.alloc(512)]));
    case 'image-newline-before':
      return withBody(Buffer.concat([Buffer.from('\n'), good.body]));
    case 'image-33mb':
      return withBody(padded(good.body, format, BYTES_OF_33_MB));
    case 'image-65mp':
      return withBody(stamped(await large(format), format, comment));
    case 'encoding-empty':
      return encoded('');
    case 'encoding-none':
      return encoded('none');
    case 'encoding-identity':
      return encoded('Identity');
    case 'encoding-aws-chunked':
      return encoded('aws-chunked');
    case 'encoding-gzip':
      return encoded('gzip', gzipSync(good.body));
    case 'encoding-br':
      return encoded('br', brotliCompressSync(good.body));
    case 'encoding-deflate':
      return encoded('deflate', deflateSync(good.body));
    case 'status-203':
      return { ...good, status: 203 };
    case 'status-206':
      return {
        ...good,
        status: 206,
        headers: { ...good.headers, 'content-range': `bytes 0-${last}/${last + 1}` },
      };
  }
}

const as = (format: Format, picture: Sharp) => picture.toFormat(format).toBuffer();

const made = new Map<Format, Promise<Buffer>>();

function large(format: Format): Promise<Buffer> {
  const picture = () => sharp({ create: { width: WIDE, height: HIGH, channels: 3, background: '#345' } });
  const found = made.get(format) ?? as(format, picture());
  made.set(format, found);
  return found;
}
