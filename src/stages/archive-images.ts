import type { StoredImages } from '../items/images.ts';
import type { Finished } from '../items/item.ts';
import { isWorthAskingAgain } from '../items/reconcile.ts';
import type { LostImage } from '../items/record.ts';
import { sourcesOf } from '../items/sources.ts';
import type { Room } from '../provider/growing-body.ts';
import { judgeMisses } from './archive-misses.ts';
import { bodyRoom } from './body-room.ts';
import { fetchImage } from './fetch-image.ts';
import type { OneImage } from './keep-refused.ts';
import type { Ports, Run, StageOutcome } from './ports.ts';
import type { OfImage } from './remembered.ts';
import { storeImage } from './store-image.ts';

type Later = Extract<StageOutcome, { kind: 'later' }>;
export type ArchivedImages = { kind: 'stored'; images: StoredImages } | { kind: 'lost'; lost: LostImage } | Later;

/** An image that is not had yet, and when to try again. */
type Step = OfImage & { atMs?: number };

/**
 * All images of a task, one after the other, so that one at a time is in memory. Each ends by itself: one that is lost or waits keeps
 * none of the others from being stored, and what is stored is not downloaded again. They are told when no image waits any more.
 */
export async function archiveImages(images: readonly Finished[], run: Run, ports: Ports): Promise<ArchivedImages> {
  const memory = memoryOf(run, images.length);
  const room = bodyRoom();
  const steps: Step[] = [];
  try {
    for (const [index, item] of images.entries()) {
      const known: Step = memory.of(index);
      const step =
        known.stored || known.lost
          ? known
          : await archiveOne({ item, number: index + 1 }, memory.run(index), room, ports);
      steps.push(step);
      const isNews = step !== known && step.atMs === undefined;
      if (isNews && index + 1 < images.length) await memory.note(index, step, ports);
    }
  } finally {
    room.leave();
  }
  const waits = steps.flatMap(({ atMs }) => atMs ?? []);
  if (waits.length > 0) return { kind: 'later', atMs: Math.min(...waits), remember: memory.all(steps) };
  return settled(steps);
}

async function archiveOne(one: OneImage, run: Run, room: Room, ports: Ports): Promise<Step> {
  if (one.number > 1 && sourcesOf(one.item, ports.now()).length === 0) return { lost: { failure: UNNAMED } };
  const fetched = await fetchImage(one, run, room, ports);
  if (fetched.kind === 'missed') {
    const verdict = judgeMisses(one, fetched, run.remembered, ports);
    return verdict.kind === 'lost' ? { lost: verdict.lost } : { ...verdict.remember, atMs: verdict.atMs };
  }
  ports.faults.clear('images-unreachable');
  return { stored: await storeImage(one, fetched, ports) };
}

const UNNAMED = {
  class: 'generation-failed' as const,
  message: "The provider's answer has a place for it, and no URL in it",
};

function settled(steps: readonly OfImage[]): ArchivedImages {
  const numbered = steps.map((step, index) => ({ ...step, number: index + 1 }));
  const [first, ...others] = numbered.flatMap(({ number, stored }) => (stored ? [{ number, ...stored }] : []));
  const lost = numbered.flatMap(({ number, lost }) => (lost ? [{ number, ...lost }] : []));
  if (first) {
    const { number: _, ...image } = first;
    const images = { ...image, ...(others.length > 0 && { more: others }), ...(lost.length > 0 && { lost }) };
    return { kind: 'stored', images };
  }
  return { kind: 'lost', lost: lostTogether(lost) };
}

/**
 * One failure for an item of which no image could be had, with the words of all: that of the first for which its task is asked again, else
 * of the first.
 */
function lostTogether(lost: readonly (LostImage & { number: number })[]): LostImage {
  const hopeful = lost.find(({ failure }) => isWorthAskingAgain(failure)) ?? lost[0];
  const { number: _, ...first } = hopeful ?? { failure: UNNAMED, number: 1 };
  if (lost.length < 2) return first;
  const each = lost.map(({ number, failure }) => `image ${number}: ${failure.message}`).join('; ');
  const message = `None of ${lost.length} images could be had. ${each}`;
  return { ...first, failure: { ...first.failure, message } };
}

/** What the job remembers of each image: at its top where there is one, as workers of former versions have it, else in `images`. */
function memoryOf(run: Run, count: number) {
  const { remembered } = run;
  if (count === 1)
    return {
      of: (): OfImage => remembered,
      run: () => run,
      note: async () => {},
      all: ([step = {}]: readonly Step[]) => withoutTime(step),
    };
  const images: OfImage[] = Array.from({ length: count }, (_, index) => remembered.images?.[index] ?? {});
  const tell = (index: number, image: OfImage) => {
    images[index] = image;
    return run.note({ ...remembered, images: [...images] });
  };
  return {
    of: (index: number): OfImage => images[index] ?? {},
    run: (index: number): Run => ({
      ...run,
      remembered: images[index] ?? {},
      note: (ofImage) => tell(index, ofImage),
    }),
    async note(index: number, step: Step, { log }: Ports): Promise<void> {
      // Redis may be away. What is stored is then downloaded again by a next run, and is the same.
      await tell(index, withoutTime(step)).catch((error: unknown) => {
        log.warn({ stage: 'archive', reason: String(error) }, 'stored image not noted');
      });
    },
    all: (steps: readonly Step[]) => ({ images: steps.map(withoutTime) }),
  };
}

function withoutTime({ atMs: _, ...image }: Step): OfImage {
  return image;
}
