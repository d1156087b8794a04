import { describe, expect, test } from 'vitest';
import { hasEnded, isFinished } from '../../src/batch/counts.ts';
import { ITEM_STATES, type ItemState, isLive } from '../../src/items/item-state.ts';
import { BATCH, FACTS, item, openState } from './open-state.ts';

describe('the end of a batch', () => {
  test('is told when the last live item ends, and not before', async () => {
    const { state, ended, put, counts } = await openState();
    await put('one', 'queued');
    await put('two', 'queued');
    await state.intake.seal(BATCH);
    expect(ended).toEqual([]);
    await state.move(item('one'), 'failed');
    expect(ended).toEqual([]);
    expect(hasEnded(await counts())).toBe(false);
    await state.move(item('two'), 'submitted');
    await state.move(item('two'), 'finished');
    expect(ended).toEqual([]);
    await state.move(item('two'), 'archived');
    expect(ended).toEqual([BATCH]);
    expect(hasEnded(await counts())).toBe(true);
  });

  test('does not come before the manifest is in whole', async () => {
    const { state, ended, put, counts } = await openState();
    await put('one', 'queued');
    await state.move(item('one'), 'archived');
    expect(ended).toEqual([]);
    expect(hasEnded(await counts())).toBe(false);
    await state.intake.seal(BATCH);
    expect(ended).toEqual([BATCH]);
  });

  test('is told again by a repeated step, so that a crash in between loses nothing', async () => {
    const { state, ended, put } = await openState();
    await put('one', 'finished');
    await state.intake.seal(BATCH);
    await state.move(item('one'), 'archived');
    await state.move(item('one'), 'archived');
    expect(ended).toEqual([BATCH, BATCH]);
  });

  test('is told by whichever live state its last item leaves, and by none that it enters', async () => {
    for (const last of ITEM_STATES.filter(isLive)) {
      const { state, ended, put } = await openState();
      await put('one', last);
      await state.intake.seal(BATCH);
      expect(ended).toEqual([]);
      await state.move(item('one'), 'failed');
      expect(ended).toEqual([BATCH]);
    }
  });

  test('is looked at again when an item that had ended comes to another end', async () => {
    const { state, put, counts } = await openState();
    await put('one', 'held');
    await state.intake.seal(BATCH);
    expect(await state.liveBatches()).toEqual([BATCH]);
    await state.noteFinished(BATCH, (await counts()).version);
    await state.leaveLive(BATCH);
    expect(await state.liveBatches()).toEqual([]);
    await state.intake.admit(BATCH, [{ id: 'one', was: 'held', to: 'failed' }]);
    expect(isFinished(await counts())).toBe(false);
    expect(await state.liveBatches()).toEqual([BATCH]);
  });

  test('is taken back when the manifest comes again, until it is in whole', async () => {
    const { state, put, counts } = await openState();
    await put('one', 'archived');
    await state.intake.seal(BATCH);
    expect(hasEnded(await counts())).toBe(true);
    expect(await state.intake.open(BATCH, FACTS)).toBe(false);
    expect(hasEnded(await counts())).toBe(false);
  });
});

describe('taking a manifest in', () => {
  test('admits no item whose state has changed since it was seen', async () => {
    const { state, stateOf } = await openState();
    const { intake } = state;
    await intake.admit(BATCH, [{ id: 'new', was: undefined, to: 'queued' }]);
    await intake.admit(BATCH, [
      { id: 'new', was: undefined, to: 'archived' },
      { id: 'other', was: 'held', to: 'queued' },
    ]);
    expect(await stateOf('new')).toBe('queued');
    expect(await stateOf('other')).toBeUndefined();
    await intake.admit(BATCH, [{ id: 'new', was: 'queued', to: 'held' }]);
    expect(await stateOf('new')).toBe('held');
  });

  test('shows a claimed item as submitting, without its holder', async () => {
    const { state, stateOf, put } = await openState();
    await put('one', 'queued');
    await state.claim(item('one'), 'me');
    expect(await stateOf('one')).toBe('submitting');
    await state.intake.admit(BATCH, [{ id: 'one', was: 'submitting', to: 'queued' }]);
    expect(await stateOf('one')).toBe('queued');
  });

  test('forgets what is archived or cancelled and not in the manifest any more, and nothing else', async () => {
    const { state, stateOf, put, counts } = await openState();
    for (const name of ITEM_STATES) {
      await put(`kept-${name}`, name);
      await put(`gone-${name}`, name);
    }
    const kept = ITEM_STATES.map((name) => `kept-${name}`);
    await state.intake.see(BATCH, kept);
    await state.intake.forgetUnseen(BATCH);
    const isForgotten = (name: ItemState) => name === 'archived' || name === 'cancelled';
    for (const name of ITEM_STATES) {
      expect(await stateOf(`kept-${name}`)).toBe(name);
      expect(await stateOf(`gone-${name}`)).toBe(isForgotten(name) ? undefined : name);
    }
    expect(await counts()).toMatchObject({ total: 2 * ITEM_STATES.length - 2, former: ITEM_STATES.length - 2 });
  });

  test('knows former items until the manifest has them again, or they are forgotten', async () => {
    const { state, put, counts } = await openState();
    await put('failed', 'failed');
    await put('held', 'held');
    await put('seen', 'archived');
    await state.intake.see(BATCH, ['seen']);
    await state.intake.forgetUnseen(BATCH);
    expect(await counts()).toMatchObject({ former: 2, total: 3 });
    expect(await state.former(BATCH)).toEqual(
      new Map([
        ['failed', 'failed'],
        ['held', 'held'],
      ]),
    );

    await state.intake.see(BATCH, ['failed']);
    expect(await counts()).toMatchObject({ former: 1 });
    await state.move(item('held'), 'archived');
    await state.intake.see(BATCH, ['seen']);
    await state.intake.forgetUnseen(BATCH);
    expect(await counts()).toMatchObject({ former: 0, total: 2 });
  });

  test('lists items by their states over many pages', async () => {
    const { state } = await openState();
    const entries = Array.from({ length: 2_500 }, (_, index) => ({
      id: `item-${index}`,
      was: undefined,
      to: index % 5 === 0 ? ('held' as const) : ('queued' as const),
    }));
    await state.intake.admit(BATCH, entries);
    const held = new Set<string>();
    for await (const id of state.itemsIn(BATCH, ['held'])) held.add(id);
    expect(held.size).toBe(500);
  });
});

test('nothing is known of no items', async () => {
  const { state } = await openState();
  expect(await state.intake.states(BATCH, [])).toEqual([]);
});
