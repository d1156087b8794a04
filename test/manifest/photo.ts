import sharp from 'sharp';

/** A small photo; each colour is other bytes. */
export function photo(color: string, format: 'jpeg' | 'png' | 'webp' | 'tiff' = 'jpeg', orientation?: number) {
  const picture = sharp({ create: { width: 96, height: 64, channels: 3, background: color } });
  return (orientation === undefined ? picture : picture.withMetadata({ orientation })).toFormat(format).toBuffer();
}
