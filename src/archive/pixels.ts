import type { Sharp } from 'sharp';

export const PAPER = { r: 0xf6, g: 0xf5, b: 0xf3 };
export const CHANNELS = 3;

/** Bare pixels, red, green and blue, row by row. */
export type Pixels = { data: Buffer; width: number; height: number };

/** What is clear in the picture is paper. */
export async function pixelsOf(picture: Sharp): Promise<Pixels> {
  const opaque = picture.flatten({ background: PAPER }).toColourspace('srgb').raw();
  const { data, info } = await opaque.toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

export function paper(width: number, height: number): Pixels {
  return { data: Buffer.alloc(width * height * CHANNELS, Buffer.from([PAPER.r, PAPER.g, PAPER.b])), width, height };
}

/** So many rows from one on, without a copy. */
export function rowsOf({ data, width }: Pixels, from: number, rows: number): Pixels {
  return { data: data.subarray(from * width * CHANNELS, (from + rows) * width * CHANNELS), width, height: rows };
}

/** Copies a picture into another; what is beyond `most` is cut off. */
export function place(
  { data, width, height }: Pixels,
  onto: Pixels,
  at: { left: number; top: number },
  most: { width: number; height: number },
): void {
  const shown = Math.min(width, most.width) * CHANNELS;
  for (let y = 0; y < Math.min(height, most.height); y++) {
    const from = y * width * CHANNELS;
    data.copy(onto.data, ((at.top + y) * onto.width + at.left) * CHANNELS, from, from + shown);
  }
}
