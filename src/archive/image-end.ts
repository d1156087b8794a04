import type { ImageFormat } from './image-bytes.ts';

/**
 * The offset after the image's last byte, found by its structure. Undefined when the file ends before. A TIFF may have its parts
 * in any order: its whole length is taken.
 */
export function endOfImage(body: Buffer, format: ImageFormat): number | undefined {
  switch (format) {
    case 'jpeg':
      return endOfJpeg(body);
    case 'png':
      return endOfPng(body);
    case 'webp':
      return within(body, 8 + even(body.length < 12 ? body.length : body.readUInt32LE(4)));
    case 'gif':
      return endOfGif(body);
    case 'avif':
      return endOfBoxes(body);
    case 'tiff':
      return body.length;
    default:
      return format satisfies never;
  }
}

const within = (body: Buffer, end: number) => (end <= body.length ? end : undefined);
/** A RIFF chunk of odd length is followed by a byte that its length does not count. */
const even = (length: number) => length + (length % 2);

const PNG_START_BYTES = 8;

/**
 * A PNG is a sequence of chunks `length type data crc` up to IEND. Decoders stop at the last pixel and do not check for
 * IEND.
 */
function endOfPng(body: Buffer): number | undefined {
  let at = PNG_START_BYTES;
  while (at + 12 <= body.length) {
    const type = body.toString('latin1', at + 4, at + 8);
    at += 12 + body.readUInt32BE(at);
    if (type === 'IEND') return within(body, at);
  }
  return undefined;
}

const [EOI, SOS] = [0xd9, 0xda];

/**
 * A JPEG is a sequence of segments `FF marker length data` up to EOI. The data of a scan ends at the next marker that
 * is not part of it.
 */
function endOfJpeg(body: Buffer): number | undefined {
  let at = 2;
  while (at + 1 < body.length) {
    if (body[at] !== 0xff) return undefined;
    const marker = body[at + 1] ?? 0;
    if (marker === 0xff) at += 1;
    else if (marker === EOI) return at + 2;
    else if (isBare(marker)) at += 2;
    else if (at + 4 > body.length) return undefined;
    else {
      at += 2 + body.readUInt16BE(at + 2);
      if (marker === SOS) at = endOfScan(body, at);
    }
  }
  return undefined;
}

function endOfScan(body: Buffer, start: number): number {
  let at = body.indexOf(0xff, start);
  // FF 00 is an escaped FF byte in the scan's data. Restart markers are part of the scan.
  while (at !== -1 && at + 1 < body.length && isInScan(body[at + 1] ?? 0)) at = body.indexOf(0xff, at + 2);
  return at === -1 ? body.length : at;
}

const isRestart = (marker: number) => marker >= 0xd0 && marker <= 0xd7;
const isInScan = (marker: number) => marker === 0x00 || isRestart(marker);
const isBare = (marker: number) => marker === 0x01 || isRestart(marker);

const [GIF_IMAGE, GIF_EXTENSION, GIF_TRAILER] = [0x2c, 0x21, 0x3b];
const GIF_HEAD_BYTES = 13;

/** A GIF is a head, then images and extensions, whose data is in sub-blocks `length data` up to an empty one, then a trailer. */
function endOfGif(body: Buffer): number | undefined {
  let at = GIF_HEAD_BYTES + colorTableBytes(body[10]);
  while (at < body.length) {
    const block = body[at];
    if (block === GIF_TRAILER) return at + 1;
    if (block === GIF_EXTENSION) at += 2;
    else if (block === GIF_IMAGE) at += 11 + colorTableBytes(body[at + 9]);
    else return undefined;
    let length = body[at] ?? 0;
    while (length > 0) {
      at += 1 + length;
      length = body[at] ?? 0;
    }
    at += 1;
  }
  return undefined;
}

/** By the flags of a head or an image: whether it has a table of its own, and 2^(n+1) colours in it. */
function colorTableBytes(flags = 0): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1);
}

const BOXES = new Set(['meta', 'mdat', 'moov', 'moof', 'mfra', 'free', 'skip', 'uuid', 'styp', 'sidx', 'pdin']);

/** A file of the HEIF family is a sequence of boxes `length type data`, of which `ftyp` is the first. Anything else is behind its end. */
function endOfBoxes(body: Buffer): number | undefined {
  let at = 0;
  while (at + 8 <= body.length && (at === 0 || BOXES.has(body.toString('latin1', at + 4, at + 8)))) {
    const length = boxLength(body, at);
    if (length < 8 || at + length > body.length) return undefined;
    at += length;
  }
  return at;
}

/** 0 means up to the end of the file, 1 that the length is too long for its place and stands behind the type. */
function boxLength(body: Buffer, at: number): number {
  const length = body.readUInt32BE(at);
  if (length === 0) return body.length - at;
  if (length !== 1) return length;
  return at + 16 <= body.length ? Number(body.readBigUInt64BE(at + 8)) : 0;
}
