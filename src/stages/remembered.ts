import { z } from 'zod';
import { SOURCE_KINDS } from '../items/item.ts';
import { imageSchema, lostImageSchema, refusedSchema } from '../items/record.ts';

const count = z.int().min(0).exactOptional();

/** What is known of one image. */
const ofImage = {
  /** Rounds in which every source said that the image is gone; in which every source that has it gave what is no image. */
  goneRounds: count,
  invalidRounds: count,
  /** All rounds that brought no image. */
  missedRounds: count,
  /** Bodies that were no whole image, by the source that gave them. */
  refusals: z
    .array(
      z.object({
        source: z.enum(SOURCE_KINDS),
        sha256: z.string(),
        message: z.string(),
        /** Of a body that is cut off: how often these bytes came, and when first and last (epoch ms). */
        cutOff: z.object({ times: z.int().min(1), firstAt: z.number(), lastAt: z.number() }).exactOptional(),
      }),
    )
    .exactOptional(),
  /** What of them is kept in the archive. */
  kept: refusedSchema.exactOptional(),
  /** How often decoding began and did not end: its process ended meanwhile. */
  decodes: count,
};
const ofImageSchema = z.object({
  ...ofImage,
  /** It is in the archive, or will not be had: then nothing is asked for it any more. */
  stored: imageSchema.exactOptional(),
  lost: lostImageSchema.exactOptional(),
});
export type OfImage = z.infer<typeof ofImageSchema>;

/**
 * What a job's runs tell each other. It belongs to the job and not to its data: data is read strictly, also by workers of another
 * version, and this may be forgotten at no other cost than time.
 */
export const rememberedSchema = z
  .object({
    /** Polls in a row that brought no answer, and when the first of them was (epoch ms). */
    unanswered: count,
    unansweredSince: z.number().exactOptional(),
    /** Milliseconds of former outages in which nobody answered for the task. They do not count against its time. */
    unansweredMs: z.number().min(0).exactOptional(),
    /** Its submit was not answered so often, and bears a key: to send it again costs nothing. */
    replays: count,
    /** Runs of a poll that asked nothing: too early, or no place. */
    unasked: count,
    /** A callback came for the task, and no poll has been answered since. */
    called: z.boolean().exactOptional(),
    /** A callback came, and the task ran all the same: what callbacks say of it is not relied on. */
    calledEarly: z.boolean().exactOptional(),
    /** It was logged that the provider's answer is not understood. */
    notUnderstood: z.boolean().exactOptional(),
    ...ofImage,
    /** Of a task with several images: of each, in their order. */
    images: z.array(ofImageSchema).exactOptional(),
  })
  // What another version has left, and BullMQ's own first value, which is 0.
  .catch({});
export type Remembered = z.infer<typeof rememberedSchema>;
export type Refusal = NonNullable<Remembered['refusals']>[number];
