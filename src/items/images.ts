import type { ItemRecord, StoredImage } from './record.ts';

type Archived = Extract<ItemRecord, { state: 'archived' }>;
/** All that is archived of a task: its image, and where it has several the others. */
export type StoredImages = StoredImage & Pick<Archived, 'more' | 'lost'>;
export type NumberedImage = StoredImage & { number: number };

/** All images that are stored of an item, by their numbers in its task's answer. Nearly always there is one. */
export function imagesOf(record: StoredImages): NumberedImage[] {
  return [{ ...storedOf(record), number: firstNumber(record) }, ...(record.more ?? [])];
}

/** Of the image that is stored as the item's own: the first that could be had. */
function firstNumber({ lost = [] }: Pick<Archived, 'lost'>): number {
  const gone = new Set(lost.map(({ number }) => number));
  let number = 1;
  while (gone.has(number)) number += 1;
  return number;
}

/** Of all its images together. */
export function bytesOf(record: StoredImages): number {
  return imagesOf(record).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Of how many images its task's answer told. */
export function toldOf({ more = [], lost = [] }: Pick<Archived, 'more' | 'lost'>): number {
  return 1 + more.length + lost.length;
}

function storedOf({ image, thumb, bytes, width, height, contentType, sha256, source, imageNote }: StoredImages) {
  const note = imageNote === undefined ? {} : { imageNote };
  return { image, thumb, bytes, width, height, contentType, sha256, source, ...note };
}

/** For people: `image 2 of 4 could not be had (expired): The image is gone (…)`. */
export function lostNote(record: Pick<Archived, 'more' | 'lost'>): string | undefined {
  if (record.lost === undefined) return undefined;
  const told = toldOf(record);
  return record.lost
    .map(({ number, failure }) => `image ${number} of ${told} could not be had (${failure.class}): ${failure.message}`)
    .join('; ');
}
