import type { Finished } from '../items/item.ts';
import type { Failure, ItemRecord, LostImage } from '../items/record.ts';
import { nextDeadline } from '../items/sources.ts';
import { failedRecord } from '../items/transitions.ts';
import { endItem } from './end-item.ts';
import type { Miss, Missed } from './fetch-image.ts';
import type { OneImage } from './keep-refused.ts';
import type { Ports, StageOutcome } from './ports.ts';
import { isExhausted } from './refusals.ts';
import type { OfImage } from './remembered.ts';
import { backoffMs } from './retry.ts';

/** An image is `expired` only when every source said that it is gone in so many rounds: one 404 may be a replica's lag. */
const GONE_ROUNDS = 3;
/**
 * A gateway that answers 404 for everything, as in a deployment, is over by the third: it comes six times as long after the second.
 * So is a cache that holds half of a file.
 */
const GONE_WAIT_MS = 5_000;
const WAIT_GROWS_BY = 6;
/** Of a wait that grows: then it is longer than the longest. */
const MOST_STEPS = 3;
/** The sources answer with pages in so many rounds, a quarter of an hour in all: then they will not give the image. */
const PAGE_ROUNDS = 30;
/** While a source is out of reach, the wait doubles to this, or to a part of the time that is left. */
const LONGEST_WAIT_MS = 5 * 60_000;
const PART_OF_TIME_LEFT = 1 / 4;
const SHORTEST_WAIT_MS = 1_000;

/** `lost`: it cannot be had. Otherwise it is tried again at `atMs`, and told then what is in `remember`. */
export type Verdict = { kind: 'lost'; lost: LostImage } | { kind: 'later'; atMs: number; remember: OfImage };

/** An answer of every source ends an image, or its last deadline. As long as one is out of reach, or gives a part of the image, it waits. */
export function judgeMisses({ item, number }: OneImage, missed: Missed, remembered: OfImage, ports: Ports): Verdict {
  const { misses, refusals, kept } = missed;
  const message = misses.map((miss) => `${miss.source}: ${miss.message}`).join('; ') || 'every URL has expired';
  const end = (failure: Failure): Verdict => ({ kind: 'lost', lost: { failure, ...(kept && { refused: kept }) } });
  const has = (...whys: Miss['why'][]) => misses.some((miss) => whys.includes(miss.why));
  const allGone = misses.every((miss) => miss.why === 'gone');
  const isBroken = has('broken');
  const isCutOff = has('cut-off');
  const round = {
    goneRounds: (remembered.goneRounds ?? 0) + (allGone ? 1 : 0),
    invalidRounds: (remembered.invalidRounds ?? 0) + (allGone || isBroken || isCutOff ? 0 : 1),
    missedRounds: (remembered.missedRounds ?? 0) + 1,
  };
  const now = ports.now();
  const isPastDeadline = now >= item.storedDiesAt;
  if (allGone && (isPastDeadline || round.goneRounds >= GONE_ROUNDS))
    return end({ class: 'expired', message: `The image is gone (${message})` });
  if (missed.isDeadly || isSpoiltForGood(missed, round.missedRounds)) return end({ class: 'invalid-image', message });
  if (isPastDeadline || round.invalidRounds >= PAGE_ROUNDS)
    return end({ class: has('page', 'cut-off', 'spoilt', 'closed') ? 'invalid-image' : 'unreachable', message });
  if (isBroken) ports.faults.note('images-unreachable', message);
  const { batch, id, taskId } = item;
  const which = number > 1 ? { image: number } : {};
  ports.log.warn(
    { batch, item: id, stage: 'archive', taskId, ...which, ...round, reason: message },
    'image not had yet',
  );
  const answers = allGone ? round.goneRounds : round.missedRounds;
  const isAnswered = !isBroken && !isCutOff && !has('page', 'closed');
  return {
    kind: 'later',
    atMs: Math.min(
      now + waitMs(item, { ...round, isBroken, isCutOff, ...(isAnswered && { answers }) }, now),
      item.storedDiesAt,
    ),
    remember: { ...round, ...(refusals.length > 0 && { refusals: [...refusals] }), ...(kept && { kept }) },
  };
}

/** No source that has the image gives another than it gave before; where some do not have it, that was asked for often enough. */
function isSpoiltForGood({ misses, refusals }: Missed, rounds: number): boolean {
  const isOver = ({ why, source }: Miss) => why === 'gone' || (why === 'spoilt' && isExhausted(source, refusals));
  const someGone = misses.some(({ why }) => why === 'gone');
  return misses.some(({ why }) => why === 'spoilt') && misses.every(isOver) && (!someGone || rounds >= GONE_ROUNDS);
}

/** The item fails: none of its images can be had. */
export async function endWithout(
  item: Finished,
  previous: ItemRecord | undefined,
  { failure, refused }: LostImage,
  ports: Ports,
): Promise<StageOutcome> {
  const goesOn = await endItem(
    item,
    previous,
    (now) => (hasNewerTask(now, item) ? undefined : failedRecord(item, now, failure, refused)),
    'archive',
    ports,
  );
  if (goesOn?.state === 'archived') await ports.state.move(item, 'archived');
  return { kind: 'done' };
}

/** `answers`: so many rounds in which each source said that it is gone, or gave bytes. */
function waitMs(
  item: Finished,
  round: { answers?: number; isBroken: boolean; isCutOff: boolean; missedRounds: number },
  now: number,
): number {
  const growing = (steps: number) => GONE_WAIT_MS * WAIT_GROWS_BY ** steps * (0.75 + Math.random() * 0.5);
  if (round.answers !== undefined) return growing(Math.min(round.answers - 1, GONE_ROUNDS - 2));
  if (!round.isBroken && !round.isCutOff) return backoffMs(round.missedRounds);
  const left = Math.max(SHORTEST_WAIT_MS, (nextDeadline(item, now) - now) * PART_OF_TIME_LEFT);
  // What was cut off once is whole some seconds later, as a rule.
  if (!round.isBroken) return Math.min(left, LONGEST_WAIT_MS, growing(Math.min(round.missedRounds - 1, MOST_STEPS)));
  return Math.min(left, backoffMs(round.missedRounds, Math.random, { longestMs: LONGEST_WAIT_MS }));
}

/** Its end is not this one's to decide: it is archived, or it was submitted again and that task may have an image. */
function hasNewerTask(now: ItemRecord | undefined, item: Finished): boolean {
  return (
    now?.state === 'archived' || now?.state === 'claimed' || (now?.state === 'submitted' && now.taskId !== item.taskId)
  );
}
