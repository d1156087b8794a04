/** The format that the bytes themselves show, independent of what was ordered or declared. */
export type Sniffed = 'jpeg' | 'png' | 'webp' | 'gif' | 'text' | 'nothing' | 'unknown';

const PNG_START = Buffer.from('89504e470d0a1a0a', 'hex');

export function sniffFormat(body: Buffer): Sniffed {
  if (body.length === 0) return 'nothing';
  if (body[0] === 0xff && body[1] === 0xd8 && body[2] === 0xff) return 'jpeg';
  if (body.subarray(0, 8).equals(PNG_START)) return 'png';
  const start = body.toString('latin1', 0, 512);
  if (start.startsWith('RIFF') && start.slice(8, 12) === 'WEBP') return 'webp';
  if (start.startsWith('GIF8')) return 'gif';
  // A proxy or an expired link answers with HTML, XML or JSON in place of an image.
  return /^(?:ï»¿)?\s*[<{[]/.test(start) ? 'text' : 'unknown';
}

/** The offset after the image's last byte, found by its structure. Undefined when the file ends before. */
export function endOfImage(body: Buffer, format: 'jpeg' | 'png'): number | undefined {
  return format === 'jpeg' ? endOfJpeg(body) : endOfPng(body);
}

/**
 * A PNG is a sequence of chunks `length type data crc` up to IEND. Decoders stop at the last pixel and do not check for
 * IEND.
 */
function endOfPng(body: Buffer): number | undefined {
  let at = PNG_START.length;
  while (at + 12 <= body.length) {
    const type = body.toString('latin1', at + 4, at + 8);
    at += 12 + body.readUInt32BE(at);
    if (type === 'IEND') return at <= body.length ? at : undefined;
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
