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

/** The numbers of images that could not be had, and that may be there all the same. Where the answer named none, nobody else does. */
export function lostToAskFor({ lost = [] }: Pick<Archived, 'lost'>): number[] {
  return lost.flatMap(({ number, failure }) => (failure.class === 'generation-failed' ? [] : [number]));
}

/**
 * The record with images that were lost when it was archived and were had since, each in its place. Undefined where it lacks none of
 * them (any more).
 */
export function withFoundImages(record: Archived, found: readonly NumberedImage[]): Archived | undefined {
  const { more: _, lost = [], imageNote: __, ...kept } = record;
  const isNews = ({ number }: NumberedImage) => lost.some((one) => one.number === number);
  const news = found.filter(isNews);
  const [first, ...others] = [...imagesOf(record), ...news].sort((a, b) => a.number - b.number);
  if (!first || news.length === 0) return undefined;
  const { number: ___, ...own } = first;
  const left = lost.filter(({ number }) => !news.some((one) => one.number === number));
  return { ...kept, ...own, ...(others.length > 0 && { more: others }), ...(left.length > 0 && { lost: left }) };
}

/** What is odd about its images, and which of them are missing. Empty where all is as it was asked for. */
export function notesOf(record: StoredImages): string {
  const several = toldOf(record) > 1;
  const odd = imagesOf(record).flatMap(({ number, imageNote }) =>
    imageNote === undefined ? [] : [several ? `image ${number}: ${imageNote}` : imageNote],
  );
  return [...odd, ...[lostNote(record) ?? []].flat()].join('; ');
}

/** Whether such a text tells of an image that may be had by asking again. */
export function tellsOfLost(note: string): boolean {
  return /image \d+ of \d+ could not be had \((?!generation-failed\))/.test(note);
}

/** For people: `image 2 of 4 could not be had (expired): The image is gone (…)`. */
export function lostNote(record: Pick<Archived, 'more' | 'lost'>): string | undefined {
  if (record.lost === undefined) return undefined;
  const told = toldOf(record);
  return record.lost
    .map(({ number, failure }) => `image ${number} of ${told} could not be had (${failure.class}): ${failure.message}`)
    .join('; ');
}
