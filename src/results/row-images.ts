import { imagesOf, lostNote, toldOf } from '../items/images.ts';
import type { ItemRecord } from '../items/record.ts';

/** One of several images of a task. */
export type FurtherImage = {
  /** In the task's answer, from 1. */
  number: number;
  /** Its key in the archive: `spring/images/hero-0123456789ab_2.png`. */
  image: string;
  /** The key of its small picture. */
  thumb: string;
  /** In pixels. */
  width: number;
  /** In pixels. */
  height: number;
  /** Of the stored image. */
  bytes: number;
  /** By its bytes: `image/png`. */
  contentType: string;
  /** Of the stored image, in hex. */
  sha256: string;
  /** Which URL served it: `origin`, `stored` or `link`. */
  source: string;
  /** What is odd about it, for people. */
  imageNote?: string;
};

/** One of several images of a task that could not be had. */
export type MissedImage = {
  /** In the task's answer, from 1. */
  number: number;
  /** Why, by the classes that docs/troubleshooting.md explains: `expired`. */
  failureClass: string;
  /** For people. */
  failureMessage: string;
};

type Archived = Extract<ItemRecord, { state: 'archived' }>;

/** With the word on images of its task that could not be had. */
export function imageNoteOf(record: Archived): string | null {
  const notes = [record.imageNote, lostNote(record)].filter((note) => note !== undefined);
  return notes.length === 0 ? null : notes.join('; ');
}

/** Nothing for an item with one image. */
export function severalOf(record: Archived): { imageNumber?: number; more?: FurtherImage[]; lost?: MissedImage[] } {
  if (toldOf(record) === 1) return {};
  const [first, ...more] = imagesOf(record);
  return {
    ...(first && { imageNumber: first.number }),
    ...(more.length > 0 && { more }),
    ...(record.lost && { lost: record.lost.map(missedOf) }),
  };
}

function missedOf({ number, failure }: NonNullable<Archived['lost']>[number]): MissedImage {
  return { number, failureClass: failure.class, failureMessage: failure.message };
}
