import { expect, test } from 'vitest';
import type { Item } from '../../src/items/item.ts';
import { itemId } from '../../src/items/item-id.ts';
import { boundBy, firstRequest, isBound, isElsewhere, requestAt, requestsOf } from '../../src/items/provider-list.ts';
import { firstTakeIds, takeOf } from '../../src/items/takes.ts';
import {
  claimedRecord,
  failedRecord,
  heldRecord,
  itemOfRecord,
  releasedRecord,
  requeuedRecord,
} from '../../src/items/transitions.ts';

const request = { prompt: 'A kite', model: 'flux-kontext-pro', outputFormat: 'jpeg' as const };
const item: Item = {
  ...{ batch: 'spring', id: itemId('kite', request, 1), name: 'kite', variant: 1, priority: 0, variables: {} },
  ...{ request, providers: ['kie', 'bfl'], queuedAt: 0 },
};
const there: Item = { ...item, request: { ...request, provider: 'bfl' } };

test('a request is asked of each in turn, and of the first in the words that its id goes by', () => {
  expect(requestsOf(item)).toEqual([request, { ...request, provider: 'bfl' }]);
  expect(requestsOf({ request })).toEqual([request]);
  expect(requestAt(there.request, 'kie')).toEqual(request);
  expect(firstRequest(there)).toEqual(request);
  expect([isElsewhere(item), isElsewhere(there), isElsewhere({ request: there.request })]).toEqual([
    false,
    true,
    false,
  ]);
});

test('what was claimed, or sent, stays with its provider; a claim that sent nothing leaves the choice', () => {
  const claimed = claimedRecord(there, undefined, 1_000);
  expect(claimed).toMatchObject({ request: { provider: 'bfl' }, providers: ['kie', 'bfl'] });
  expect(isBound(claimed)).toBe(true);
  const { providers: _, ...alone } = there;
  expect(boundBy(item, claimed)).toEqual(alone);
  // Whoever writes the record next by the manifest's item leaves its provider alone.
  expect(heldRecord(item, claimed, { class: 'unknown-outcome', message: 'x' }).request.provider).toBe('bfl');
  expect(requeuedRecord(claimed).request.provider).toBe('bfl');
  expect(isBound(requeuedRecord(claimed))).toBe(true);

  const released = releasedRecord(claimed);
  expect(isBound(released)).toBe(false);
  expect(boundBy(item, released)).toEqual(item);
  expect(itemOfRecord(released).providers).toEqual(['kie', 'bfl']);
  expect(claimedRecord(item, released, 2_000).request.provider).toBeUndefined();
  expect(isBound(failedRecord(item, undefined, { class: 'invalid-parameters', message: 'x' }))).toBe(true);
});

test('a list that the manifest has no more goes with what was not sent, and stays on record for what was', () => {
  const { providers: _, ...alone } = item;
  const claimed = claimedRecord(there, undefined, 1_000);
  expect(claimedRecord(alone, releasedRecord(claimed), 2_000).providers).toBeUndefined();
  expect(claimedRecord(boundBy(alone, claimed), claimed, 2_000)).toMatchObject({
    ...{ request: { provider: 'bfl' }, providers: ['kie', 'bfl'], attempts: 2 },
  });
});

test('a claim elsewhere that is given back and made again keeps the list that its id goes by', () => {
  const released = releasedRecord(claimedRecord(there, undefined, 1_000));
  const { providers: _, ...bound } = there;
  const again = claimedRecord(bound, released, 2_000);
  expect(again).toMatchObject({ request: { provider: 'bfl' }, providers: ['kie', 'bfl'] });
  expect([...firstTakeIds(again)][0]).toBe(item.id);
});

test('takes are numbered by the same ids, whoever made the picture', () => {
  const record = claimedRecord(there, undefined, 1_000);
  expect([...firstTakeIds(record)][0]).toBe(item.id);
  expect(takeOf({ ...record, id: itemId('kite', request, 1, 3) })).toBe(3);
});
