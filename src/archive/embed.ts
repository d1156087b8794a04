import { embedInJpeg } from './embed-jpeg.ts';
import { embedInPng } from './embed-png.ts';
import { type EmbeddedMetadata, xmpPacket } from './embed-xmp.ts';

/**
 * Writes the metadata into the image as XMP, and into a PNG also the prompt as `Description`. Bytes are inserted before
 * the pixels, which do not change. A JPEG segment holds 64 KB. For a longer prompt the XMP goes without its
 * description, and if that is still too long the image is returned unchanged. A signature over the file's bytes, such
 * as C2PA's, is no longer valid after this.
 *
 * Expects an image that `verifyImage` has accepted.
 */
export function embedMetadata(image: Buffer, format: 'jpeg' | 'png', metadata: EmbeddedMetadata): Buffer {
  if (format === 'png') return embedInPng(image, { xmp: xmpPacket(metadata, 'full'), description: metadata.prompt });
  return embedInJpeg(image, xmpPacket(metadata, 'full')) ?? embedInJpeg(image, xmpPacket(metadata, 'bare')) ?? image;
}
