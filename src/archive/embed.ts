import { embedInJpeg } from './embed-jpeg.ts';
import { embedInPng } from './embed-png.ts';
import { xmpPacket } from './embed-xmp.ts';

/** What an image says of itself once it has left its archive. The input image is left out: its URL may open something. */
export type EmbeddedMetadata = {
  prompt: string;
  model: string;
  batch: string;
  item: string;
  name: string;
  variant: number;
  taskId: string;
};

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
