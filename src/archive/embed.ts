import { embedInJpeg } from './embed-jpeg.ts';
import { embedInPng } from './embed-png.ts';
import { type EmbeddedMetadata, xmpPacket } from './embed-xmp.ts';

/**
 * The image with the metadata written into it, in XMP, and in a PNG the prompt as `Description` as well. Bytes are spliced in
 * front of the pixels, which stay as they are. A prompt that fits no JPEG segment (64 KB) leaves the image unchanged.
 * A signature over the file's bytes, such as C2PA's, does not hold any more after this.
 *
 * Expects an image that `verifyImage` has passed.
 */
export function embedMetadata(image: Buffer, format: 'jpeg' | 'png', metadata: EmbeddedMetadata): Buffer {
  if (format === 'png') return embedInPng(image, { xmp: xmpPacket(metadata, 'full'), description: metadata.prompt });
  return embedInJpeg(image, xmpPacket(metadata, 'full')) ?? embedInJpeg(image, xmpPacket(metadata, 'bare')) ?? image;
}
