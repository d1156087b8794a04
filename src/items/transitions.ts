import type { StoredImages } from './images.ts';
import { type Finished, type Item, itemOf, laneOf, type Submitted } from './item.ts';
import { type Failure, type ItemRecord, namedIn, type Refused, taskIdsOf } from './record.ts';
import { type Common, commonOf, commonOfRecord, iso, otherTasks } from './record-common.ts';
import { type ClaimPrice, costsOf, repriced } from './record-costs.ts';
import { claimedKey, isKeyInDoubt, isReplay, type KeyOffer, keptKey, releasedKey } from './submit-key.ts';
import { unknownAttemptsOf, withOneUnknownLess } from './unknown-attempts.ts';

type Failed = Extract<ItemRecord, { state: 'failed' }>;
type Held = Extract<ItemRecord, { state: 'held' }>;

/** Written before a submit. Whatever happens next, the record says that a request may have gone out, and in which lane. */
export function claimedRecord(
  item: Item,
  previous: ItemRecord | undefined,
  now: number,
  price: ClaimPrice = { now: undefined, untold: undefined },
  { lane, offer }: { lane?: string | undefined; offer?: KeyOffer | undefined } = {},
): ItemRecord {
  const { lane: _, ...common } = commonOf(item, previous);
  return {
    ...common,
    ...laneOf({ lane }),
    ...(previous && isReplay(previous, offer, now) ? {} : unknownAttemptsOf(previous)),
    ...repriced(previous, price),
    ...claimedKey(previous, offer, now),
    state: 'claimed',
    attempts: common.attempts + 1,
    earlierTaskIds: otherTasks(previous, undefined),
    timings: { queued: common.timings.queued, submitted: iso(now) },
  };
}

/** It was never sent. */
export function cancelledRecord(item: Item): ItemRecord {
  return { ...commonOf(item, undefined), state: 'cancelled' };
}

/** Another take, which a person has asked for. */
export function takeRecord(item: Item, note: string | undefined): ItemRecord {
  return { ...commonOf(item, undefined), ...(note === undefined ? {} : { note }), state: 'queued' };
}

/** The claim is given back: it is known that no task was started. */
export function releasedRecord(claimed: ItemRecord): ItemRecord {
  const { queued } = claimed.timings;
  const common = { ...commonOfRecord(claimed), ...releasedKey(claimed) };
  return { ...common, state: 'queued', attempts: claimed.attempts - 1, timings: { queued } };
}

/** A person wants it submitted again. What it cost so far stays in the record. */
export function requeuedRecord(record: ItemRecord, task?: Submitted): ItemRecord {
  const common = { ...commonOfRecord(record), ...costsOf(record, task) };
  return {
    ...common,
    // With a key it is not another task that is in doubt, until a person says that it may be.
    ...(record.submitKey && record.state !== 'held' ? keptKey(record) : unknownAttemptsOf(record)),
    state: 'queued',
    earlierTaskIds: otherTasks(record, undefined),
    timings: { queued: common.timings.queued },
  };
}

export function submittedRecord(item: Submitted, previous: ItemRecord | undefined): ItemRecord {
  // An item that waits to be submitted again, or was refused since, gets a task: that of an attempt whose outcome was unknown until now.
  const isOfEarlier = previous?.state === 'queued' || (previous?.state === 'failed' && previous.taskId === undefined);
  const isOfNoKey = previous && isOfEarlier && !isKeyInDoubt(previous);
  const common = isOfNoKey ? withOneUnknownLess(commonOf(item, previous)) : commonOf(item, previous);
  return {
    ...common,
    state: 'submitted',
    taskId: item.taskId,
    earlierTaskIds: otherTasks(previous, item.taskId),
    timings: { queued: common.timings.queued, submitted: iso(item.submittedAt) },
  };
}

/**
 * A submit was accepted, or a task turned up: it is named, whatever the record has become meanwhile. Undefined when it is named
 * already.
 */
export function recordWithTask(item: Submitted, previous: ItemRecord | undefined): ItemRecord | undefined {
  if (previous && namedIn(previous).has(item.taskId)) return undefined;
  if (previous?.state !== 'archived') return submittedRecord(item, previous);
  return { ...previous, ...costsOf(previous, item), earlierTaskIds: [...previous.earlierTaskIds, item.taskId] };
}

/**
 * The task that it was told is another item's. Nothing is known of its own submit then: it is a claim that was not answered. Undefined
 * when it goes by another task, or has ended.
 */
export function disownedRecord(record: ItemRecord, taskId: string): ItemRecord | undefined {
  const goesByIt = (record.state === 'submitted' || record.state === 'held') && record.taskId === taskId;
  if (!goesByIt && record.state !== 'claimed') return undefined;
  const common = commonOfRecord(record);
  const { queued, submitted } = record.timings;
  return {
    ...common,
    state: 'claimed',
    othersTaskIds: [...new Set([...(record.othersTaskIds ?? []), taskId])],
    timings: { queued, ...(submitted !== undefined && { submitted }) },
  };
}

export function isOthers(record: ItemRecord, taskId: string): boolean {
  return record.othersTaskIds?.includes(taskId) === true;
}

/** Whether what became of a task is still the item's: it has not been archived, nor gone on to another task or submit. */
export function isOfTask(record: ItemRecord, taskId: string): boolean {
  if (record.state === 'archived' || record.earlierTaskIds.includes(taskId)) return false;
  if (isOthers(record, taskId)) return false;
  return taskIdsOf(record).every((id) => id === taskId);
}

export function archivedRecord(
  item: Finished,
  previous: ItemRecord | undefined,
  images: StoredImages,
  now: number,
): ItemRecord {
  const common = commonOf(item, previous);
  return {
    ...common,
    state: 'archived',
    taskId: item.taskId,
    earlierTaskIds: otherTasks(previous, item.taskId),
    ...images,
    timings: { ...finishedTimings(common, item), archived: iso(now) },
  };
}

export function failedRecord(
  item: Item | Submitted | Finished,
  previous: ItemRecord | undefined,
  failure: Failure,
  refused?: Refused,
): Failed {
  // A claim fails by a refusal, so nothing is unknown. An item that was held with an unknown outcome keeps it.
  const doubt = previous?.state === 'held' ? unknownAttemptsOf(previous) : {};
  return { ...endedRecord(item, previous), ...doubt, state: 'failed', failure, ...(refused && { refused }) };
}

export function heldRecord(item: Item | Submitted, previous: ItemRecord | undefined, failure: Failure): Held {
  const key = previous && !('taskId' in item) ? keptKey(previous) : {};
  return { ...endedRecord(item, previous), ...key, state: 'held', failure };
}

/** What was asked for, as it was enqueued first. */
export function itemOfRecord(record: ItemRecord): Item {
  return itemOf({ ...record, queuedAt: Date.parse(record.timings.queued) });
}

/** The task that a record names, to be asked for (again); nothing for a record without one. */
export function resumedTask(record: ItemRecord, giveUpAt: number): Submitted[] {
  const submittedAt = Date.parse(record.timings.submitted ?? record.timings.queued);
  return taskIdsOf(record).map((taskId) => ({
    ...itemOfRecord(record),
    taskId,
    submittedAt,
    giveUpAt,
    recorded: true,
    ...laneOf(record),
  }));
}

function endedRecord(item: Item | Submitted | Finished, previous: ItemRecord | undefined) {
  const common = commonOf(item, previous);
  const taskId = 'taskId' in item ? item.taskId : taskIdsOf(previous)[0];
  return {
    ...common,
    earlierTaskIds: otherTasks(previous, taskId),
    ...(taskId === undefined ? {} : { taskId }),
    timings: 'completedAt' in item ? finishedTimings(common, item) : common.timings,
  };
}

function finishedTimings(common: Common, item: Finished) {
  return {
    queued: common.timings.queued,
    submitted: iso(item.submittedAt),
    completed: iso(item.completedAt),
    discovered: iso(item.discoveredAt),
  };
}
