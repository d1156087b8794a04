import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redisBatchState } from '../../src/fleet/batch-state.ts';
import { ITEM_STATES, type ItemState, MAY_COME_FROM } from '../../src/items/item-state.ts';
import { BATCH, item, openState } from './open-state.ts';

describe('moving an item', () => {
  const pairs = ITEM_STATES.flatMap((from) => ITEM_STATES.map((to) => ({ from, to })));

  test('succeeds from the states that the table names and from no other, for every pair', async () => {
    const { state, stateOf, put } = await openState();
    for (const { from, to } of pairs) {
      const id = `${from}-${to}`;
      await put(id, from);
      const allowed = from === to || MAY_COME_FROM[to].includes(from);
      expect({ id, moved: await state.move(item(id), to) }).toEqual({ id, moved: allowed });
      expect({ id, state: await stateOf(id) }).toEqual({ id, state: allowed ? to : from });
    }
  });

  test('never leads out of archived', () => {
    for (const to of ITEM_STATES) expect(MAY_COME_FROM[to]).not.toContain('archived');
  });

  test('is refused for an item that Redis does not know, and makes none', async () => {
    const { state, stateOf, counts } = await openState();
    expect(await state.move(item('stranger'), 'archived')).toBe(false);
    expect(await stateOf('stranger')).toBeUndefined();
    expect((await counts()).total).toBe(0);
  });

  test('adds to the counters of the batch once, however often the step is repeated', async () => {
    const { state, put, counts } = await openState();
    await put('one', 'submitting');
    for (let run = 0; run < 3; run++) await state.move(item('one'), 'submitted', { submits: 1 });
    expect(await counts()).toMatchObject({ submits: 1 });
    await state.move(item('one'), 'archived', { bytes: 1_000 });
    await state.move(item('one'), 'submitted', { submits: 1 });
    expect(await counts()).toMatchObject({ submits: 1, bytes: 1_000 });
  });

  test('raises the version of the batch, a refused or repeated move does not', async () => {
    const { state, put, counts } = await openState();
    await put('one', 'queued');
    const { version } = await counts();
    await state.move(item('one'), 'finished');
    expect((await counts()).version).toBe(version + 1);
    await state.move(item('one'), 'finished');
    await state.move(item('one'), 'queued');
    expect((await counts()).version).toBe(version + 1);
  });
});

describe('claiming', () => {
  test('is refused with the state of an item that is not waiting to be submitted', async () => {
    const { state, put } = await openState();
    for (const was of ITEM_STATES) {
      await put(was, was);
      const expected = was === 'queued' || was === 'submitting' ? { kind: 'claimed' } : { kind: 'refused', state: was };
      expect(await state.claim(item(was), 'me')).toEqual(expected);
    }
    expect(await state.claim(item('stranger'), 'me')).toEqual({ kind: 'refused', state: undefined });
  });

  test('is confirmed only to the latest holder', async () => {
    const { state, put } = await openState();
    await put('one', 'queued');
    await state.claim(item('one'), 'first');
    expect(await state.confirm(item('one'), 'first')).toBe('go');
    await state.claim(item('one'), 'second');
    expect(await state.confirm(item('one'), 'first')).toBe('lost');
    expect(await state.confirm(item('one'), 'second')).toBe('go');
  });

  test('is lost when the item moved on', async () => {
    const { state, put } = await openState();
    await put('one', 'queued');
    await state.claim(item('one'), 'me');
    await state.move(item('one'), 'queued');
    expect(await state.confirm(item('one'), 'me')).toBe('lost');
  });

  test('is not confirmed while the breaker is closed, whoever closed it', async () => {
    const { state, put, keys, redis } = await openState();
    const other = redisBatchState(redis, keys, async () => {});
    await put('one', 'queued');
    await state.claim(item('one'), 'me');
    await other.tripBreaker({ refusal: 'out-of-credits', message: 'no credits' });
    expect(await state.confirm(item('one'), 'me')).toBe('tripped');
    expect(await state.breaker()).toMatchObject({ refusal: 'out-of-credits', message: 'no credits' });
    expect(await state.confirm(item('one'), 'someone else')).toBe('lost');
    await state.resetBreaker();
    expect(await state.breaker()).toBeUndefined();
    expect(await state.confirm(item('one'), 'me')).toBe('go');
  });

  test('a probe of the breaker is one caller’s at a time', async () => {
    const { state } = await openState();
    const turns = await Promise.all(Array.from({ length: 5 }, () => state.isMyProbe(60_000)));
    expect(turns.filter(Boolean)).toHaveLength(1);
  });
});

type Step = { do: 'claim' | 'confirm'; by: string } | { do: 'move'; to: ItemState };

const HOLDERS = ['first', 'second', 'third'];
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('claim' as const), by: fc.constantFrom(...HOLDERS) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('confirm' as const), by: fc.constantFrom(...HOLDERS) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('move' as const), to: fc.constantFrom(...ITEM_STATES) }) },
  ),
  { maxLength: 20 },
);

test('for all interleavings of claims, confirmations and moves, one holder at most has the item', async () => {
  const { state, put, stateOf, counts } = await openState();
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (sequence: readonly Step[]) => {
      runs += 1;
      const id = `item-${runs}`;
      await put(id, 'queued');
      let model: { state: ItemState; holder?: string } = { state: 'queued' };
      for (const step of sequence) {
        switch (step.do) {
          case 'claim': {
            const may = model.state === 'queued' || model.state === 'submitting';
            expect((await state.claim(item(id), step.by)).kind).toBe(may ? 'claimed' : 'refused');
            if (may) model = { state: 'submitting', holder: step.by };
            break;
          }
          case 'confirm': {
            // One at a time, since what one is told must hold when the other asks.
            const answers: string[] = [];
            for (const holder of HOLDERS) answers.push(await state.confirm(item(id), holder));
            expect(answers).toEqual(HOLDERS.map((holder) => (holder === model.holder ? 'go' : 'lost')));
            break;
          }
          case 'move': {
            const may = step.to === model.state || MAY_COME_FROM[step.to].includes(model.state);
            expect(await state.move(item(id), step.to)).toBe(may);
            if (may && step.to !== model.state) model = { state: step.to };
            break;
          }
        }
        expect(await stateOf(id)).toBe(model.state);
      }
    }),
    { numRuns: 60 },
  );
  expect((await counts()).total).toBe(runs);
});

describe('counting', () => {
  const commands = fc.array(
    fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd'),
      to: fc.constantFrom(...ITEM_STATES),
      how: fc.constantFrom(
        'move' as const,
        'admit' as const,
        'admit-stale' as const,
        'claim' as const,
        'forget' as const,
      ),
    }),
    { maxLength: 30 },
  );

  test('always equals the number of items in each state, whatever happens', async () => {
    await fc.assert(
      fc.asyncProperty(commands, async (sequence) => {
        const { state, stateOf, counts, redis, keys } = await openState();
        for (const { id, to, how } of sequence) {
          const was = await stateOf(id);
          if (how === 'move') await state.move(item(id), to);
          if (how === 'admit') await state.intake.admit(BATCH, [{ id, was, to }]);
          if (how === 'admit-stale') await state.intake.admit(BATCH, [{ id, was: 'cancelled', to }]);
          if (how === 'claim') await state.claim(item(id), 'me');
          if (how === 'forget') await state.intake.forgetUnseen(BATCH);
          const real = Object.fromEntries(ITEM_STATES.map((name) => [name, 0]));
          for (const value of Object.values(await redis.hgetall(keys.items(BATCH)))) {
            const name = value.split(':')[0] ?? '';
            real[name] = (real[name] ?? 0) + 1;
          }
          expect((await counts()).items).toEqual(real);
        }
      }),
      { numRuns: 25 },
    );
  });

  test('many processes at once leave counters that agree with the items', async () => {
    const { state, put, counts } = await openState();
    const ids = Array.from({ length: 10 }, (_, index) => `item-${index}`);
    for (const id of ids) await put(id, 'queued');
    await Promise.all(
      ids.flatMap((id) => [
        state.claim(item(id), 'first'),
        state.claim(item(id), 'second'),
        state.move(item(id), 'submitted', { submits: 1 }),
        state.move(item(id), 'submitted', { submits: 1 }),
        state.move(item(id), 'archived'),
      ]),
    );
    expect(await counts()).toMatchObject({ total: 10, submits: 10, items: { archived: 10 } });
  });
});
