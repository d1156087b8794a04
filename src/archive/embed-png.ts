import { crc32 } from 'node:zlib';

/** The signature and IHDR must come first. Text chunks may follow anywhere. */
const HEADER_BYTES = 8 + 25;

export function embedInPng(image: Buffer, { xmp, description }: { xmp: Buffer; description: string }): Buffer {
  return Buffer.concat([
    image.subarray(0, HEADER_BYTES),
    internationalText('XML:com.adobe.xmp', xmp),
    internationalText('Description', Buffer.from(description.replaceAll('\0', '\uFFFD'), 'utf8')),
    image.subarray(HEADER_BYTES),
  ]);
}

/** An iTXt chunk, uncompressed as XMP requires: `keyword NUL 0 0 language NUL translated keyword NUL text`. */
function internationalText(keyword: string, text: Buffer): Buffer {
  return chunk('iTXt', Buffer.concat([Buffer.from(`${keyword}\0\0\0\0\0`, 'latin1'), text]));
}

function chunk(type: string, content: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length);
  check.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, check]);
}
