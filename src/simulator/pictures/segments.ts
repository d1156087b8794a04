import { crc32 } from 'node:zlib';

export type Format = 'jpeg' | 'png';

const PNG_SIGNATURE_BYTES = 8;
const PNG_HEADER_BYTES = PNG_SIGNATURE_BYTES + 25;
const JPEG_SEGMENT_MAX = 65_533;

/** Writes a comment into a picture: a COM segment into a JPEG, an iTXt chunk into a PNG. */
export function stamped(picture: Buffer, format: Format, comment: string): Buffer {
  const text = Buffer.from(comment, 'utf8');
  return format === 'jpeg'
    ? insertAt(picture, 2, jpegComment(text.subarray(0, JPEG_SEGMENT_MAX)))
    : insertAt(picture, PNG_HEADER_BYTES, pngChunk('iTXt', Buffer.concat([Buffer.from('Comment\0\0\0\0\0'), text])));
}

/** Pads a picture to about `bytes` with parts that decoders skip. It stays valid. */
export function padded(picture: Buffer, format: Format, bytes: number): Buffer {
  const missing = bytes - picture.length;
  if (missing <= 0) return picture;
  // A private, ancillary chunk type: the lower-case letters mean this.
  if (format === 'png') return insertAt(picture, PNG_HEADER_BYTES, pngChunk('paDd', Buffer.alloc(missing)));
  const segments: Buffer[] = [];
  for (let left = missing; left > 0; left -= JPEG_SEGMENT_MAX) {
    segments.push(jpegComment(Buffer.alloc(Math.min(left, JPEG_SEGMENT_MAX))));
  }
  return insertAt(picture, 2, ...segments);
}

export function jpegComment(content: Buffer): Buffer {
  const head = Buffer.from([0xff, 0xfe, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([head, content]);
}

export function pngChunk(type: string, content: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(content.length, 0);
  frame.writeUInt32BE(crc32(typed), 4);
  return Buffer.concat([frame.subarray(0, 4), typed, frame.subarray(4)]);
}

/** A comment extension, in sub-blocks of up to 255 bytes, before the trailer. */
export function gifCommented(picture: Buffer, comment: string): Buffer {
  const text = Buffer.from(comment, 'utf8');
  const blocks: Buffer[] = [];
  for (let at = 0; at < text.length; at += 255) {
    const part = text.subarray(at, at + 255);
    blocks.push(Buffer.from([part.length]), part);
  }
  return insertAt(picture, picture.length - 1, Buffer.from([0x21, 0xfe]), ...blocks, Buffer.from([0]));
}

function insertAt(picture: Buffer, offset: number, ...parts: Buffer[]): Buffer {
  return Buffer.concat([picture.subarray(0, offset), ...parts, picture.subarray(offset)]);
}
