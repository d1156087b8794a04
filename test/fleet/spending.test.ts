import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { redisBatchState } from '../../src/fleet/batch-state.ts';
import { redisSpending } from '../../src/fleet/spending.ts';
import { keysOf } from '../../src/redis/keys.ts';

const BATCH = 'spring';
const PRICE = 8;
const item = (id: string) => ({ batch: BATCH, id });

function connectedState() {
  const redis = new Redis(inject('redisUrl'));
  onTestFinished(() => redis.disconnect());
  return async function openState(budget: number | undefined, ...ids: string[]) {
    const keys = keysOf(`test:${randomUUID()}`);
    const state = redisBatchState(redis, keys, async () => {});
    const spending = redisSpending(redis, keys);
    await state.intake.open(BATCH, { archive: '/archive', api: 'http://127.0.0.1', digest: 'digest' });
    await spending.setBudget(BATCH, budget === undefined ? undefined : { all: budget });
    await state.intake.admit(
      BATCH,
      ids.map((id) => ({ id, was: undefined, to: 'queued' })),
    );
    const counts = async () => {
      const found = await state.counts(BATCH);
      if (!found) throw new Error('Expected the batch to be known');
      return found;
    };
    const ask = async (id: string, holder: string, credits?: number) => {
      await state.claim(item(id), holder);
      return state.confirm(item(id), holder, credits);
    };
    const note = (id: string, known: number, unsettled: number) => spending.record(BATCH, [{ id, known, unsettled }]);
    return { state, spending, counts, ask, note, affordable: () => spending.affordable(BATCH, 1_000) };
  };
}

describe('the budget', () => {
  test('is reserved once for a holder, however often it asks, and anew for the next holder of the same item', async () => {
    const { ask, counts } = await connectedState()(8, 'one');
    expect([await ask('one', 'first', PRICE), await ask('one', 'first', PRICE)]).toEqual(['go', 'go']);
    expect((await counts()).unsettled).toBe(8);
    expect(await ask('one', 'second', PRICE)).toBe('go');
    expect((await counts()).unsettled).toBe(8);
  });

  test('of exactly the cost suffices when the claim is on record already', async () => {
    const { ask, note } = await connectedState()(8, 'one');
    expect(await ask('one', 'me', PRICE)).toBe('go');
    await note('one', 0, 8);
    expect(await ask('one', 'me', PRICE)).toBe('go');
  });

  test('of one account holds its items back and no others, until it has room again', async () => {
    const { state, spending, counts, ask, affordable } = await connectedState()(undefined, 'a', 'b', 'c', 'own');
    const bfl = (id: string) => ({ ...item(id), request: { provider: 'bfl' as const } });
    const askBfl = async (id: string) => {
      await state.claim(bfl(id), id);
      return state.confirm(bfl(id), id, 6);
    };
    const note = (id: string, known: number) =>
      spending.record(BATCH, [{ id, known, unsettled: 0, account: 'bfl' as const }]);
    await spending.setBudget(BATCH, { accounts: { bfl: 12, kie: 8 } });
    expect([await askBfl('a'), await askBfl('b'), await askBfl('c')]).toEqual(['go', 'go', 'out-of-budget']);
    expect(await state.checkAdmission(bfl('c'), 6)).not.toBe('go');
    expect(await ask('own', 'me', PRICE)).toBe('go');
    await note('a', 6);
    expect(await counts()).toMatchObject({
      ...{ credits: 6, unsettled: 14, budget: undefined, overBudget: { items: 1, credits: 6 } },
      accounts: { bfl: { budget: 12, credits: 6, unsettled: 6 }, kie: { budget: 8, credits: 0, unsettled: 8 } },
    });
    await state.move(item('c'), 'queued');
    expect(await affordable()).toEqual([]);
    // It was free after all.
    await note('b', 0);
    expect(await affordable()).toEqual(['c']);
    expect(await askBfl('c')).toBe('go');
    expect((await counts()).overBudget).toEqual({ items: 0, credits: 0 });
    await spending.setBudget(BATCH, { all: 20 });
    expect(await counts()).toMatchObject({ budget: 20 });
    expect((await counts()).accounts).toBeUndefined();
  });

  test('goes with an item to the account that it is made in, and is left in no other', async () => {
    const { state, spending, counts } = await connectedState()(undefined, 'a', 'b');
    const asked = (id: string, account: 'kie' | 'bfl') => {
      const request = { prompt: 'A kite', model: 'x', ...(account === 'bfl' && { provider: account }) };
      return { ...item(id), request, providers: ['kie', 'bfl'] as ['kie', 'bfl'] };
    };
    const ask = async (id: string, account: 'kie' | 'bfl', token: string, credits: number) => {
      await state.claim(item(id), token);
      return state.confirm(asked(id, account), token, credits);
    };
    await spending.setBudget(BATCH, { all: 30, accounts: { bfl: 10, kie: 10 } });
    // Its process dies between the permit and the record; then it goes elsewhere.
    expect(await ask('a', 'kie', 'first', 5)).toBe('go');
    expect((await counts()).accounts).toMatchObject({ kie: { unsettled: 5 }, bfl: { unsettled: 0 } });
    expect(await ask('a', 'bfl', 'second', 8)).toBe('go');
    expect(await ask('a', 'bfl', 'second', 8)).toBe('go');
    expect((await counts()).accounts).toMatchObject({ kie: { unsettled: 0 }, bfl: { unsettled: 8 } });
    // No room there: it is not over budget, since the account that it prefers may take it.
    expect(await ask('b', 'bfl', 'third', 8)).toBe('out-of-budget');
    expect((await counts()).overBudget).toEqual({ items: 0, credits: 0 });
    await spending.record(BATCH, [{ id: 'a', known: 0, unsettled: 8, account: 'bfl' }]);
    await spending.record(BATCH, [{ id: 'a', known: 4, unsettled: 0, account: 'bfl' }]);
    expect(await counts()).toMatchObject({
      ...{ credits: 4, unsettled: 0 },
      accounts: { kie: { credits: 0, unsettled: 0 }, bfl: { credits: 4, unsettled: 0 } },
    });
    // A claim whose end was never counted, since its process died.
    expect(await ask('b', 'kie', 'fourth', 5)).toBe('go');
    await spending.record(BATCH, [{ id: 'b', known: 0, unsettled: 5 }]);
    expect(await ask('b', 'bfl', 'fifth', 3)).toBe('out-of-budget');
    await spending.record(BATCH, [{ id: 'b', known: 0, unsettled: 3, account: 'bfl' }]);
    expect((await counts()).accounts).toMatchObject({ kie: { unsettled: 0 }, bfl: { credits: 4, unsettled: 3 } });
  });

  test('lets no model through that has no price, and everything where there is no budget', async () => {
    const open = connectedState();
    const limited = await open(1_000, 'one');
    expect(await limited.ask('one', 'me')).toBe('out-of-budget');
    const free = await open(undefined, 'one');
    expect(await free.ask('one', 'me')).toBe('go');
  });

  test('counts who waits beyond it, once each, and wakes as many as there is room for when something was not spent after all', async () => {
    const { ask, counts, note, affordable } = await connectedState()(20, 'one', 'two', 'three', 'four');
    for (const id of ['one', 'two', 'three', 'four', 'three']) await ask(id, `holder of ${id}`, PRICE);
    expect((await counts()).overBudget).toEqual({ items: 2, credits: 16 });
    expect(await affordable()).toEqual([]);
    await note('one', 8, 0);
    expect((await counts()).mayHaveRoom).toBe(false);
    await note('two', 0, 0);
    expect(await counts()).toMatchObject({ mayHaveRoom: true, overBudget: { items: 2, credits: 16 } });
    const [woken = ''] = await affordable();
    expect(['three', 'four']).toContain(woken);
    // Until it takes its place it is named again: who was to wake it may be dead.
    expect(await affordable()).toEqual([woken]);
    expect(await ask(woken, 'anew', PRICE)).toBe('go');
    expect(await affordable()).toEqual([]);
    expect(await counts()).toMatchObject({ mayHaveRoom: false, overBudget: { items: 1, credits: 8 } });
  });

  test('that is set anew asks everybody again', async () => {
    const { ask, counts, spending, affordable } = await connectedState()(8, 'one', 'two');
    await ask('one', 'a', PRICE);
    expect(await ask('two', 'b', PRICE)).toBe('out-of-budget');
    await spending.setBudget(BATCH, { all: 16 });
    expect(await counts()).toMatchObject({ budget: 16, mayHaveRoom: true });
    expect(await affordable()).toEqual(['two']);
    expect(await ask('two', 'b', PRICE)).toBe('go');
    expect(await counts()).toMatchObject({ overBudget: { items: 0, credits: 0 } });
  });

  test('does not wake items that have ended meanwhile', async () => {
    const { ask, state, spending, affordable, counts } = await connectedState()(8, 'one', 'two', 'three');
    for (const id of ['one', 'two', 'three']) await ask(id, `holder of ${id}`, PRICE);
    await state.move(item('two'), 'queued');
    await state.move(item('three'), 'cancelled');
    await spending.setBudget(BATCH, undefined);
    expect(await affordable()).toEqual(['two']);
    expect((await counts()).overBudget).toEqual({ items: 1, credits: 8 });
  });

  test('is told of before an item takes its place in the line', async () => {
    const { state } = await connectedState()(4, 'one');
    expect(await state.checkAdmission(item('one'), PRICE)).toBe('out-of-budget');
    expect(await state.checkAdmission(item('one'), 4)).toBe('admitted');
  });
});

test('noting the charges of an item again changes nothing', async () => {
  const { note, counts } = await connectedState()(undefined, 'one');
  for (let run = 0; run < 3; run++) await note('one', 16, 8);
  expect(await counts()).toMatchObject({ credits: 16, unsettled: 8 });
});

type Event = { id: number; holder: number; does: 'ask' | 'accepted' | 'refused' | 'unknown' | 'flush-and-recount' };

const events: fc.Arbitrary<Event[]> = fc.array(
  fc.record({
    id: fc.nat(5),
    holder: fc.nat(2),
    does: fc.constantFrom('ask', 'ask', 'ask', 'accepted', 'refused', 'unknown', 'flush-and-recount'),
  }),
  { maxLength: 60 },
);

test('whatever submits and answers interleave, what may have been charged never passes the budget', async () => {
  const open = connectedState();
  await fc.assert(
    fc.asyncProperty(fc.nat(60), events, async (budget, history) => {
      const ids = Array.from({ length: 6 }, (_, index) => `item-${index}`);
      const { ask, note, spending, counts } = await open(budget, ...ids);
      /** What the provider may have charged, and the submits that are permitted and unanswered. */
      const charged = new Map<string, { known: number; unsettled: number }>();
      const underWay = new Map<string, string>();
      const of = (id: string) => charged.get(id) ?? { known: 0, unsettled: 0 };
      const sum = () => [...charged.values()].reduce((total, { known, unsettled }) => total + known + unsettled, 0);

      for (const { id: index, holder, does } of history) {
        const id = `item-${index}`;
        if (does === 'ask' && !underWay.has(id)) {
          if ((await ask(id, `${holder}-${randomUUID()}`, PRICE)) === 'go') underWay.set(id, does);
        } else if (does === 'flush-and-recount') {
          const all = ids.map((each) => ({ id: each, ...of(each) }));
          await spending.record(
            BATCH,
            all.filter(({ id: each }) => !underWay.has(each)),
          );
        } else if (does !== 'ask' && underWay.delete(id)) {
          const { known, unsettled } = of(id);
          if (does === 'accepted') charged.set(id, { known: known + PRICE, unsettled });
          if (does === 'unknown') charged.set(id, { known, unsettled: unsettled + PRICE });
          await note(id, of(id).known, of(id).unsettled);
        }
        expect(sum() + underWay.size * PRICE).toBeLessThanOrEqual(budget);
        const { credits, unsettled } = await counts();
        expect(credits + unsettled).toBe(sum() + underWay.size * PRICE);
      }
    }),
    { numRuns: 60 },
  );
});
