import { describe, expect, test } from 'vitest';
import type { Finished, Item, Submitted } from '../../src/items/item.ts';
import { mayFollow } from '../../src/items/record.ts';
import {
  archivedRecord,
  cancelledRecord,
  claimedRecord,
  failedRecord,
  heldRecord,
  isOfTask,
  itemOfRecord,
  recordWithTask,
  releasedRecord,
  requeuedRecord,
  resumedTask,
  submittedRecord,
  takeRecord,
} from '../../src/items/transitions.ts';

const T = 1_800_000_000_000;
const iso = (afterMs: number) => new Date(T + afterMs).toISOString();
const ITEM: Item = {
  batch: 'spring',
  id: 'item-0123456789ab',
  name: 'item',
  variant: 2,
  priority: 3,
  variables: { colour: 'red' },
  request: { prompt: 'A lighthouse', model: 'flux-kontext-pro', outputFormat: 'png' },
  embed: false,
  queuedAt: T,
};
const { queuedAt: _, ...TOLD } = ITEM;
const DOUBT = { class: 'unknown-outcome', message: 'no answer' } as const;
const LATE = { class: 'poll-timeout', message: 'late' } as const;
const IMAGE = {
  ...{ image: 'i.png', thumb: 't.webp', bytes: 9, width: 3, height: 4, contentType: 'image/png', sha256: 'abc' },
  source: 'origin' as const,
};
const task = (taskId: string): Submitted => ({
  ...ITEM,
  taskId,
  submittedAt: T + 20,
  giveUpAt: T + 99,
  recorded: true,
});
const finished = (taskId: string): Finished => ({
  ...task(taskId),
  ...{ completedAt: T + 30, discoveredAt: T + 40, originUrl: 'https://a.example/1', originDiesAt: T, storedDiesAt: T },
});

const claimed = claimedRecord(ITEM, undefined, T + 10);
const submitted = submittedRecord(task('a'), claimed);
const held = heldRecord(ITEM, claimed, DOUBT);
const archived = archivedRecord(finished('a'), submitted, IMAGE, T + 50);

describe('the record of an item says', () => {
  test('before a submit, that one may have gone out, and when', () => {
    expect(claimed).toEqual({
      ...TOLD,
      ...{ version: 1, state: 'claimed', attempts: 1, earlierTaskIds: [] },
      timings: { queued: iso(0), submitted: iso(10) },
    });
    expect(claimedRecord(ITEM, releasedRecord(claimed), T + 15)).toMatchObject({ attempts: 1 });
    expect(claimedRecord(ITEM, requeuedRecord(held), T + 15)).toMatchObject({ attempts: 2, unknownAttempts: 1 });
  });

  test('nothing of a submit that was never sent', () => {
    const queued = { ...TOLD, version: 1, attempts: 0, earlierTaskIds: [], timings: { queued: iso(0) } };
    expect(cancelledRecord(ITEM)).toEqual({ ...queued, state: 'cancelled' });
    expect(takeRecord(ITEM, undefined)).toEqual({ ...queued, state: 'queued' });
    expect(takeRecord(ITEM, 'too dark')).toEqual({ ...queued, state: 'queued', note: 'too dark' });
    expect(releasedRecord(claimed)).toEqual({ ...queued, state: 'queued' });
  });

  test('the task that was accepted, and what was asked for', () => {
    expect(submitted).toEqual({
      ...TOLD,
      ...{ version: 1, state: 'submitted', taskId: 'a', attempts: 1, earlierTaskIds: [] },
      timings: { queued: iso(0), submitted: iso(20) },
    });
    expect(itemOfRecord(submitted)).toEqual(ITEM);
    expect(resumedTask(submitted, T + 99)).toEqual([task('a')]);
    expect(resumedTask(claimed, T + 99)).toEqual([]);
    const undated = { ...submitted, timings: { queued: iso(0) } };
    expect(resumedTask(undated, T + 99)).toEqual([{ ...task('a'), submittedAt: T }]);
  });

  test('the image, and when each step was', () => {
    expect(archived).toEqual({
      ...TOLD,
      ...IMAGE,
      ...{ version: 1, state: 'archived', taskId: 'a', attempts: 1, earlierTaskIds: [] },
      timings: { queued: iso(0), submitted: iso(20), completed: iso(30), discovered: iso(40), archived: iso(50) },
    });
    expect(archivedRecord(finished('a'), undefined, IMAGE, T + 50)).toMatchObject({ earlierTaskIds: [], attempts: 0 });
  });

  test('why it ended without one, with the task that it had', () => {
    expect(held).toMatchObject({ state: 'held', failure: DOUBT, timings: claimed.timings });
    expect(held).not.toHaveProperty('taskId');
    expect(heldRecord(task('a'), submitted, LATE)).toMatchObject({ taskId: 'a', earlierTaskIds: [] });
    expect(failedRecord(ITEM, submitted, LATE)).toMatchObject({ state: 'failed', taskId: 'a', failure: LATE });
    expect(failedRecord(ITEM, submitted, LATE)).not.toHaveProperty('refused');
    const refused = { key: 'k', reason: 'not an image', sha256: 'x', bytes: 1 };
    expect(failedRecord(finished('a'), submitted, LATE, refused)).toMatchObject({
      ...{ refused, taskId: 'a' },
      timings: { queued: iso(0), submitted: iso(20), completed: iso(30), discovered: iso(40) },
    });
  });
});

describe('what was or may have been paid for stays named', () => {
  test('tasks of former attempts, oldest first and each once', () => {
    const failed = failedRecord(task('a'), submitted, LATE);
    const again = requeuedRecord(failed);
    expect(again).toMatchObject({ state: 'queued', earlierTaskIds: ['a'], timings: { queued: iso(0) } });
    expect(again).not.toHaveProperty('taskId');
    const second = submittedRecord(task('b'), claimedRecord(ITEM, again, T + 60));
    expect(second).toMatchObject({ taskId: 'b', earlierTaskIds: ['a'], attempts: 2 });
    expect(archivedRecord(finished('b'), second, IMAGE, T)).toMatchObject({ taskId: 'b', earlierTaskIds: ['a'] });
    // The first turned up after all.
    expect(archivedRecord(finished('a'), second, IMAGE, T)).toMatchObject({ taskId: 'a', earlierTaskIds: ['b'] });
    expect(failedRecord(task('a'), second, LATE)).toMatchObject({ taskId: 'a', earlierTaskIds: ['b'] });
  });

  test('submits whose outcome nobody knows are counted, until a task of them turns up', () => {
    expect(claimed).not.toHaveProperty('unknownAttempts');
    const once = requeuedRecord(held);
    expect(once).toMatchObject({ unknownAttempts: 1 });
    expect(submittedRecord(task('late'), once)).not.toHaveProperty('unknownAttempts');
    const twice = requeuedRecord(heldRecord(ITEM, claimedRecord(ITEM, once, T), DOUBT));
    expect(twice).toMatchObject({ unknownAttempts: 2, attempts: 2 });
    expect(submittedRecord(task('late'), twice)).toMatchObject({ unknownAttempts: 1 });
    // An answer to a submit that is on its way is that submit's own.
    const third = claimedRecord(ITEM, twice, T);
    expect(submittedRecord(task('c'), third)).toMatchObject({ unknownAttempts: 2, attempts: 3 });
  });

  test('a claim that is refused leaves nothing unknown; what was held in doubt and is dropped does', () => {
    expect(failedRecord(ITEM, claimed, LATE)).not.toHaveProperty('unknownAttempts');
    expect(failedRecord(ITEM, held, LATE)).toMatchObject({ unknownAttempts: 1 });
    expect(requeuedRecord(heldRecord(task('a'), submitted, LATE))).not.toHaveProperty('unknownAttempts');
  });

  test('a person’s note stays through all of it', () => {
    const noted = takeRecord(ITEM, 'too dark');
    const sent = claimedRecord(ITEM, noted, T);
    const records = [sent, submittedRecord(task('a'), sent), heldRecord(ITEM, sent, DOUBT), releasedRecord(sent)];
    for (const record of records) expect(record).toMatchObject({ note: 'too dark' });
  });
});

describe('a task that is told of', () => {
  test('is named where it was not, also beside an image', () => {
    expect(recordWithTask(task('a'), undefined)).toMatchObject({ state: 'submitted', taskId: 'a' });
    expect(recordWithTask(task('a'), claimed)).toMatchObject({ state: 'submitted', taskId: 'a' });
    expect(recordWithTask(task('a'), submitted)).toBeUndefined();
    expect(recordWithTask(task('a'), archived)).toBeUndefined();
    expect(recordWithTask(task('b'), archived)).toEqual({ ...archived, earlierTaskIds: ['b'] });
  });

  test('is the item’s own until the item is archived or has gone on to another', () => {
    expect(isOfTask(claimed, 'a')).toBe(true);
    expect(isOfTask(submitted, 'a')).toBe(true);
    expect(isOfTask(submitted, 'b')).toBe(false);
    expect(isOfTask(archived, 'a')).toBe(false);
    expect(isOfTask(requeuedRecord(submitted), 'a')).toBe(false);
  });
});

test('nobody writes over an image, nor leaves out a task that was named', () => {
  const other = submittedRecord(task('b'), claimed);
  expect(mayFollow(claimed, submitted)).toBe(true);
  expect(mayFollow(submitted, claimed)).toBe(false);
  expect(mayFollow(submitted, other)).toBe(false);
  expect(mayFollow(submitted, submittedRecord(task('b'), submitted))).toBe(true);
  expect(mayFollow(archived, { ...archived, earlierTaskIds: ['b'] })).toBe(true);
  expect(mayFollow(archived, submitted)).toBe(false);
  expect(mayFollow(archived, archivedRecord(finished('a'), submitted, { ...IMAGE, sha256: 'another' }, T))).toBe(false);
});
