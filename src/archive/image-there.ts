import type { Archive } from './archive.ts';

/** Asks for the image itself: a listing may be older. */
export async function isImageThere(archive: Archive, key: string): Promise<boolean> {
  return (await archive.readPart(key, 0, 1)) !== undefined;
}
