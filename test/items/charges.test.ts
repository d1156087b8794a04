import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chargesOf } from '../../src/items/charges.ts';
import type { Item } from '../../src/items/item.ts';
import type { ItemRecord } from '../../src/items/record.ts';
import {
  claimedRecord,
  failedRecord,
  heldRecord,
  releasedRecord,
  requeuedRecord,
  submittedRecord,
} from '../../src/items/transitions.ts';

const PRICES = { date: '2025-08-01', source: 'test', usdPerCredit: 0.005, credits: { 'flux-kontext-pro': 8 } };
const ITEM: Item = {
  batch: 'spring',
  id: 'item-0123456789ab',
  name: 'item',
  variant: 1,
  priority: 0,
  variables: {},
  request: { prompt: 'A lighthouse', model: 'flux-kontext-pro', outputFormat: 'png' },
  queuedAt: 0,
};
const DOUBT = { class: 'unknown-outcome', message: 'no answer' } as const;
const task = (taskId: string) => ({ ...ITEM, taskId, submittedAt: 0, giveUpAt: 0, recorded: true });
const claimed = claimedRecord(ITEM, undefined, 0);

describe('an item has cost', () => {
  test('perhaps one image while its submit is unanswered, surely one when it has a task', () => {
    expect(chargesOf(claimed, PRICES)).toMatchObject({ known: 0, unsettled: 8 });
    expect(chargesOf(submittedRecord(task('a'), claimed), PRICES)).toMatchObject({ known: 8, unsettled: 0 });
  });

  test('nothing when its claim was given back or its submit refused', () => {
    const refused = failedRecord(ITEM, claimed, { class: 'content-policy', message: 'no' });
    for (const record of [releasedRecord(claimed), refused]) {
      expect(chargesOf(record, PRICES)).toMatchObject({ known: 0, unsettled: 0 });
    }
  });

  test('perhaps one image as long as nobody knows, also when a person gives it up', () => {
    const held = heldRecord(ITEM, claimed, DOUBT);
    const dropped = failedRecord(ITEM, held, { class: 'cancelled', message: 'dropped' });
    for (const record of [held, dropped]) expect(chargesOf(record, PRICES)).toMatchObject({ known: 0, unsettled: 8 });
  });

  test('one image for each of its tasks, whatever became of them', () => {
    const failed = failedRecord(task('a'), submittedRecord(task('a'), claimed), {
      class: 'generation-failed',
      message: '',
    });
    const again = submittedRecord(task('b'), claimedRecord(ITEM, requeuedRecord(failed), 0));
    expect(chargesOf(again, PRICES)).toMatchObject({ known: 16, unsettled: 0 });
  });

  test('one image when a callback brings the task of an attempt that was given up for lost', () => {
    const reopened = requeuedRecord(heldRecord(ITEM, claimed, DOUBT));
    expect(chargesOf(submittedRecord(task('late'), reopened), PRICES)).toMatchObject({ known: 8, unsettled: 0 });
  });

  test('one image and no doubt where its task is known, or where it is held for anything but an unknown outcome', () => {
    const late = heldRecord(task('a'), submittedRecord(task('a'), claimed), DOUBT);
    expect(chargesOf(late, PRICES)).toMatchObject({ known: 8, unsettled: 0 });
    const unsent = heldRecord(ITEM, claimed, { class: 'invalid-image', message: 'no' });
    expect(chargesOf(unsent, PRICES)).toMatchObject({ known: 0, unsettled: 0 });
  });

  test('nothing when its image was taken over: it counts where it was paid for', () => {
    const adopted = { ...submittedRecord(task('a'), claimed), adopted: { batch: 'winter', id: 'item-0' } };
    expect(chargesOf(adopted, PRICES)).toEqual({ id: ITEM.id, known: 0, unsettled: 0 });
  });

  test('what its tasks were submitted at, when prices have changed since', () => {
    const now = { ...PRICES, credits: { 'flux-kontext-pro': 5 }, earliest: PRICES };
    const failure = { class: 'generation-failed', message: '' } as const;
    // Of a former version: it does not say its price.
    const first = submittedRecord(task('a'), claimed);
    expect(chargesOf(claimed, now)).toMatchObject({ known: 0, unsettled: 8 });
    expect(chargesOf(first, now)).toMatchObject({ known: 8, unsettled: 0 });
    const at = (price: number, previous: ItemRecord) => claimedRecord(ITEM, previous, 0, { now: price, untold: 8 });
    const again = at(5, requeuedRecord(failedRecord(task('a'), first, failure)));
    expect(chargesOf(again, now)).toMatchObject({ known: 8, unsettled: 5 });
    const second = submittedRecord(task('b'), again);
    expect(chargesOf(second, now)).toMatchObject({ known: 13, unsettled: 0 });
    const third = at(6, requeuedRecord(failedRecord(task('b'), second, failure)));
    expect(chargesOf(submittedRecord(task('c'), third), { ...now, credits: {} })).toMatchObject({ known: 19 });
    const told = submittedRecord({ ...task('b'), credits: 4 }, again);
    expect(chargesOf(told, now)).toMatchObject({ known: 12 });
  });

  test('nothing that we know of when its model has no price', () => {
    expect(chargesOf(claimed, { ...PRICES, credits: {} })).toMatchObject({ known: 0, unsettled: 0 });
  });
});

/** What a submit may come to, as the records tell it; ends in a record that may be submitted again. */
const attempts = {
  refused: (before: ItemRecord) => ({ record: releasedRecord(before), known: 0, unsettled: 0 }),
  lost: (before: ItemRecord) => ({ record: requeuedRecord(heldRecord(ITEM, before, DOUBT)), known: 0, unsettled: 8 }),
  resubmitted: (before: ItemRecord) => ({ record: requeuedRecord(before), known: 0, unsettled: 8 }),
  crashed: (before: ItemRecord) => ({ record: before, known: 0, unsettled: 8 }),
  failed: (before: ItemRecord, index: number) => {
    const taken = submittedRecord(task(`task-${index}`), before);
    const failed = failedRecord(task(`task-${index}`), taken, { class: 'generation-failed', message: '' });
    return { record: requeuedRecord(failed), known: 8, unsettled: 0 };
  },
};
const names = Object.keys(attempts) as (keyof typeof attempts)[];

test('no attempt is ever forgotten, however they follow each other', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...names), { maxLength: 12 }), (history) => {
      let record: ItemRecord | undefined;
      const sum = { known: 0, unsettled: 0 };
      for (const [index, name] of history.entries()) {
        const step = attempts[name](claimedRecord(ITEM, record, 0), index);
        record = step.record;
        sum.known += step.known;
        sum.unsettled += step.unsettled;
        expect(chargesOf(record, PRICES)).toMatchObject(sum);
      }
    }),
  );
});
