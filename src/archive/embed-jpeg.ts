const [APP0, APP1] = [0xe0, 0xe1];
const XMP = Buffer.from('http://ns.adobe.com/xap/1.0/\0', 'latin1');
const EXIF = Buffer.from('Exif\0\0', 'latin1');
/** The length field of a segment counts its own two bytes. */
const MAX_CONTENT = 65_535 - 2;

/** Adds an XMP segment to the image. Undefined when the packet is too long for one segment (64 KB). */
export function embedInJpeg(image: Buffer, xmp: Buffer): Buffer | undefined {
  const content = Buffer.concat([XMP, xmp]);
  if (content.length > MAX_CONTENT) return undefined;
  const head = Buffer.from([0xff, APP1, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  const at = endOfFirstSegments(image);
  return Buffer.concat([image.subarray(0, at), head, content, image.subarray(at)]);
}

/** JFIF must come first, then Exif. Readers use the first XMP segment, so ours goes before any other. */
function endOfFirstSegments(image: Buffer): number {
  let at = 2;
  while (at + 4 <= image.length && image[at] === 0xff && isFirst(image, at)) at += 2 + image.readUInt16BE(at + 2);
  return at;
}

function isFirst(image: Buffer, at: number): boolean {
  if (image[at + 1] === APP0) return true;
  return image[at + 1] === APP1 && image.subarray(at + 4, at + 4 + EXIF.length).equals(EXIF);
}
