/** A format that is archived. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'avif' | 'tiff';
/** The format that the bytes themselves show, independent of what was ordered or declared. */
export type Sniffed = ImageFormat | 'text' | 'nothing' | 'unknown';

const SNIFFED_BYTES = 512;
const PNG_START = Buffer.from('89504e470d0a1a0a', 'hex');
const TIFF_STARTS = [Buffer.from('49492a00', 'hex'), Buffer.from('4d4d002a', 'hex')];
/** Of the HEIF family. What is not AVIF does not decode, and is refused then. */
const HEIF_BRAND = /^(?:avif|avis|mif1|msf1|miaf)$/;

export function sniffFormat(body: Buffer): Sniffed {
  if (body.length === 0) return 'nothing';
  if (body[0] === 0xff && body[1] === 0xd8 && body[2] === 0xff) return 'jpeg';
  if (body.subarray(0, 8).equals(PNG_START)) return 'png';
  if (TIFF_STARTS.some((start) => body.subarray(0, 4).equals(start))) return 'tiff';
  const start = body.toString('latin1', 0, SNIFFED_BYTES);
  if (start.startsWith('RIFF') && start.slice(8, 12) === 'WEBP') return 'webp';
  if (start.startsWith('GIF8')) return 'gif';
  if (start.slice(4, 8) === 'ftyp' && HEIF_BRAND.test(start.slice(8, 12))) return 'avif';
  // A proxy or an expired link answers with HTML, XML or JSON in place of an image.
  return /^(?:ï»¿)?\s*[<{[]/.test(start) ? 'text' : 'unknown';
}

/** What servers were seen to put before an image: an empty line of a script, a byte order mark, NULs. */
const BLANKS = new Set([0x00, 0x09, 0x0a, 0x0d, 0x20, 0xef, 0xbb, 0xbf]);
const MOST_BLANKS = 1_024;

/** How many bytes stand before the image, which no viewer would skip; 0 where no image follows them. */
export function blanksBefore(body: Buffer): number {
  for (let at = 0; at <= MOST_BLANKS; at += 1) {
    if (!['text', 'nothing', 'unknown'].includes(sniffFormat(body.subarray(at, at + SNIFFED_BYTES)))) return at;
    if (!BLANKS.has(body[at] ?? -1)) return 0;
  }
  return 0;
}
