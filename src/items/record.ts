import { z } from 'zod';
import { imageRequestSchema, PROVIDERS, SOURCE_KINDS } from './item.ts';

const time = z.iso.datetime();

export const FAILURE_CLASSES = [
  'content-policy',
  'invalid-parameters',
  'feature-disabled',
  'generation-failed',
  'unknown-outcome',
  'unknown-task',
  'poll-timeout',
  'expired',
  'invalid-image',
  'unreachable',
  'cancelled',
  'internal',
] as const;

/** Why an item failed or is held: `class` groups, `code` is the provider's where there is one, `message` is for people. */
export const failureSchema = z.object({
  class: z.enum(FAILURE_CLASSES),
  code: z.number().exactOptional(),
  message: z.string(),
});
export type Failure = z.infer<typeof failureSchema>;

/** What came in the place of an image and was not accepted, as it is kept in the archive. */
export const refusedSchema = z.object({ key: z.string(), reason: z.string(), sha256: z.string(), bytes: z.int() });
export type Refused = z.infer<typeof refusedSchema>;

const common = {
  version: z.literal(1),
  id: z.string(),
  name: z.string(),
  batch: z.string(),
  variant: z.int().min(1),
  priority: z.int().min(0),
  variables: z.record(z.string(), z.string()),
  /** As it was sent, or will be: to the provider that made the image in the end. */
  request: imageRequestSchema,
  /** Who might have made it, as the manifest has them. */
  providers: z.array(z.enum(PROVIDERS)).min(2).exactOptional(),
  /** As the manifest says; absent when it says nothing. */
  embed: z.boolean().exactOptional(),
  /** Of another take: what a person has said of it. */
  note: z.string().exactOptional(),
  /** Its image was taken over from this item, which has paid for it. */
  adopted: z.object({ batch: z.string(), id: z.string() }).exactOptional(),
  /** The account of its latest submit, by its name in FLUX_LANES; absent without lanes. */
  lane: z.string().exactOptional(),
  /** Submits that went out, or may have. */
  attempts: z.int().min(0),
  /** Former attempts with an unknown outcome: each may have started a task and may have been charged. */
  unknownAttempts: z.int().min(1).exactOptional(),
  /** Tasks of former attempts, oldest first: each may have been charged. */
  earlierTaskIds: z.array(z.string()),
  /** What tasks have cost by the provider's own word, in its credits. What is not here counts at its price. */
  costs: z.record(z.string(), z.number()).exactOptional(),
  /** What its latest submit was to cost, in credits of the default provider. Absent in records of former versions. */
  price: z.number().exactOptional(),
  /** Of tasks that were submitted at another price than `price`. */
  earlierPrices: z.record(z.string(), z.number()).exactOptional(),
  /**
   * Where the provider starts one task for all submits that bear one key of ours: that key, since when it is used, and how many submits
   * with it were not answered. Whoever submits again sends it again, and pays nothing twice.
   */
  submitKey: z.object({ key: z.string().min(1), since: time, unanswered: z.int().min(0) }).exactOptional(),
  /** Tasks that an answer named as this item's, and that are another's: this item has not cost them. */
  othersTaskIds: z.array(z.string()).exactOptional(),
  timings: z.object({
    queued: time,
    submitted: time.exactOptional(),
    completed: time.exactOptional(),
    discovered: time.exactOptional(),
    archived: time.exactOptional(),
  }),
};
const task = { taskId: z.string().min(1) };

const image = {
  image: z.string(),
  thumb: z.string(),
  bytes: z.int(),
  width: z.int(),
  height: z.int(),
  contentType: z.string(),
  sha256: z.string(),
  /** Which URL served the image. */
  source: z.enum(SOURCE_KINDS),
  /** What is odd about it, for people: `asked for png, came as jpeg`. */
  imageNote: z.string().exactOptional(),
};
/** One image of a task, as it is stored. */
export const imageSchema = z.object(image);
export type StoredImage = z.infer<typeof imageSchema>;

/** One of several images of a task that could not be had. */
const lostFields = { failure: failureSchema, refused: refusedSchema.exactOptional() };
export const lostImageSchema = z.object(lostFields);
export type LostImage = z.infer<typeof lostImageSchema>;

/**
 * An item's record, beside its image: the truth that outlives Redis. No secrets and no URLs that open anything.
 *
 * - `queued`: known not to have been sent (a claim that was given back)
 * - `claimed`: a submit may be on its way; found after a crash it is an unknown outcome
 * - `submitted`: the task is paid for and can be asked for by its id
 * - `archived`, `failed`: the ends
 * - `cancelled`: never sent, and not wanted any more until its manifest is enqueued again
 * - `held`: waits for a person to decide
 */
export const recordSchema = z.discriminatedUnion('state', [
  z.object({ ...common, state: z.literal('queued') }),
  z.object({ ...common, state: z.literal('cancelled') }),
  z.object({ ...common, state: z.literal('claimed') }),
  z.object({ ...common, ...task, state: z.literal('submitted') }),
  z.object({
    ...common,
    ...task,
    state: z.literal('archived'),
    ...image,
    /** Of a task with several images: those after the first that is stored, by their numbers in the answer. */
    more: z
      .array(z.object({ number: z.int().min(2), ...image }))
      .min(1)
      .exactOptional(),
    /** Those that could not be had. At least one other could. */
    lost: z
      .array(z.object({ number: z.int().min(1), ...lostFields }))
      .min(1)
      .exactOptional(),
  }),
  z.object({
    ...common,
    taskId: z.string().exactOptional(),
    state: z.literal('failed'),
    failure: failureSchema,
    refused: refusedSchema.exactOptional(),
  }),
  z.object({ ...common, taskId: z.string().exactOptional(), state: z.literal('held'), failure: failureSchema }),
]);
export type ItemRecord = z.infer<typeof recordSchema>;

/** The task that it goes by; none for a record without one. */
export function taskIdsOf(record: ItemRecord | undefined): string[] {
  return record && 'taskId' in record && record.taskId !== undefined ? [record.taskId] : [];
}

/** Every task that it names, each of them paid for. */
export function tasksOf(record: ItemRecord): ReadonlySet<string> {
  return new Set([...record.earlierTaskIds, ...taskIdsOf(record)]);
}

/** Of tasks that are another item's, too. */
export function namedIn(record: ItemRecord): ReadonlySet<string> {
  return new Set([...tasksOf(record), ...(record.othersTaskIds ?? [])]);
}

/**
 * What no writer may undo, whatever it has read before: an archived record keeps its image, and a task that was named stays
 * named. Whoever writes a record asks for it last of all.
 */
export function mayFollow(was: ItemRecord, next: ItemRecord): boolean {
  const named = namedIn(next);
  if (![...namedIn(was)].every((id) => named.has(id))) return false;
  if (was.state !== 'archived') return true;
  if (next.state !== 'archived') return false;
  const kept = new Set(storedIn(next));
  return storedIn(was).every((image) => kept.has(image));
}

/** Each image by its place and its bytes. Which of them is the item's own may change: one before it may be had after all. */
function storedIn({ image, sha256, more = [] }: Extract<ItemRecord, { state: 'archived' }>): string[] {
  return [{ image, sha256 }, ...more].map((one) => `${one.image} ${one.sha256}`);
}

/** Nothing moves on from these but by a person, or by a task that turned up. */
export function hasEnded({ state }: Pick<ItemRecord, 'state'>): boolean {
  return ENDED.has(state);
}

const ENDED: ReadonlySet<string> = new Set<ItemRecord['state']>(['archived', 'failed', 'held', 'cancelled']);
