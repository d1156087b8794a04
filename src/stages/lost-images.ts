import { lostToAskFor, type NumberedImage, notesOf, toldOf, withFoundImages } from '../items/images.ts';
import type { Finished } from '../items/item.ts';
import type { ItemRecord } from '../items/record.ts';
import { isForAnother } from '../items/repeated-prompt.ts';
import { eachImage, finishedOf, sourcesOf } from '../items/sources.ts';
import { resumedTask } from '../items/transitions.ts';
import type { PollOutcome } from '../provider/provider.ts';
import { askSurely } from './ask-task.ts';
import { bodyRoom } from './body-room.ts';
import { fetchImage } from './fetch-image.ts';
import type { OneImage } from './keep-refused.ts';
import type { Ports, Run } from './ports.ts';
import { storeImage } from './store-image.ts';

type Archived = Extract<ItemRecord, { state: 'archived' }>;
/** How many were had, how many are still missing, and why. */
export type AskedForLost = { found: number; left: number; why?: string };

/**
 * Asks once more for those images of an archived item's task that could not be had, and adds to its record what there is. The task is paid
 * for, so this costs nothing; what is archived stays as it is. Throws the archive's errors.
 */
export async function askForLost(record: Archived, signal: AbortSignal, ports: Ports): Promise<AskedForLost> {
  const wanted = lostToAskFor(record);
  const run: Run = { runs: 1, broken: 0, remembered: {}, note: async () => {}, signal };
  const answer = await imagesNow(record, run, ports);
  if ('why' in answer) return { found: 0, left: wanted.length, why: answer.why };
  const found: NumberedImage[] = [];
  const misses: string[] = [];
  for (const [index, item] of answer.images.entries()) {
    const number = index + 1;
    if (!wanted.includes(number)) continue;
    const had = await fetchOne({ item, number }, run, ports);
    if ('why' in had) misses.push(`image ${number}: ${had.why}`);
    else found.push(had);
  }
  if (found.length > 0) await addToRecord(record, found, ports);
  const why = misses.length > 0 && { why: misses.join('; ') };
  return { found: found.length, left: misses.length, ...why };
}

type Why = { why: string };

/** All images that its task's answer names now. Each is known by its number, so the answer has to be the one that it was archived by. */
async function imagesNow(record: Archived, run: Run, ports: Ports): Promise<{ images: Finished[] } | Why> {
  const [task] = resumedTask(record, ports.now());
  const asked = task && (await askSurely(task, run, ports));
  if (!asked) return { why: 'it was not asked for' };
  await asked.slotEnded;
  const { outcome } = asked;
  if (outcome.kind !== 'succeeded') return { why: whyNone(outcome) };
  if (outcome.prompt !== undefined && isForAnother(record.request, outcome.prompt))
    return { why: 'its task was started for another prompt' };
  const { sources, more } = outcome;
  const discoveredAt = ports.now();
  const { completed = record.timings.queued } = record.timings;
  const completedAt = Math.min(outcome.completedAt ?? Date.parse(completed), discoveredAt);
  const images = eachImage(finishedOf(task, { sources, ...(more && { more }), completedAt, discoveredAt }));
  return isSameAnswer(record, images, discoveredAt)
    ? { images }
    : { why: 'the answer of its task names other images than it did' };
}

function whyNone(outcome: Exclude<PollOutcome, { kind: 'succeeded' }>): string {
  return outcome.kind === 'generating' ? 'its task has no images (yet)' : outcome.message;
}

function isSameAnswer(record: Archived, images: readonly Finished[], now: number): boolean {
  const asked = lostToAskFor(record);
  const unnamed = (record.lost ?? []).filter(({ number }) => !asked.includes(number));
  const isUnnamed = (number: number) => unnamed.some((one) => one.number === number);
  const hasNoSource = (image: Finished) => sourcesOf(image, now).length === 0;
  return (
    images.length === toldOf(record) && images.every((image, index) => hasNoSource(image) === isUnnamed(index + 1))
  );
}

async function fetchOne(one: OneImage, run: Run, ports: Ports): Promise<NumberedImage | Why> {
  const room = bodyRoom();
  try {
    const fetched = await fetchImage(one, run, room, ports);
    if (fetched.kind === 'image') return { number: one.number, ...(await storeImage(one, fetched, ports)) };
    return { why: fetched.misses.map(({ source, message }) => `${source}: ${message}`).join('; ') };
  } finally {
    room.leave();
  }
}

async function addToRecord(record: Archived, found: readonly NumberedImage[], ports: Ports): Promise<void> {
  const { batch, id, taskId } = record;
  const change = (now: ItemRecord | undefined) =>
    now?.state === 'archived' && now.taskId === taskId ? withFoundImages(now, found) : undefined;
  const { record: now } = await ports.records.update(batch, id, change, record);
  if (now?.state !== 'archived') return;
  await ports.state.tellNote({ batch, id }, notesOf(now));
  await ports.state.outdateIndex(batch);
  const left = now.lost?.length ?? 0;
  ports.log.info({ batch, item: id, stage: 'archive', taskId, images: found.length, left }, 'had after all');
}
