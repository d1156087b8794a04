import fc from 'fast-check';
import { expect, test } from 'vitest';
import { redisSpending } from '../../src/fleet/spending.ts';
import type { ItemState } from '../../src/items/item-state.ts';
import { BATCH, FACTS, item, openState } from './open-state.ts';

const idOf = (n: number) => `product-number-${n}-${String(n).padStart(12, '0')}`;

async function opened() {
  const all = await openState();
  return { ...all, spending: redisSpending(all.redis, all.keys) };
}
type Opened = Awaited<ReturnType<typeof opened>>;

/** Archives items of one charge. */
async function archive({ state, spending }: Opened, ids: readonly string[], credits = 8) {
  await state.intake.admit(
    BATCH,
    ids.map((id) => ({ id, was: undefined, to: 'archived' })),
  );
  await spending.record(
    BATCH,
    ids.map((id) => ({ id, known: credits, unsettled: 0 })),
  );
}

test('an archived item takes at most 16 bytes when it is packed, and is known with its charge as before', async () => {
  const all = await opened();
  const ids = Array.from({ length: 5_000 }, (_, n) => idOf(n));
  for (let from = 0; from < ids.length; from += 1_000) await archive(all, ids.slice(from, from + 1_000));
  await all.state.intake.seal(BATCH);
  const before = await all.counts();
  expect(await all.state.packed.pack(BATCH)).toBe(ids.length);
  expect(await all.redis.exists(all.keys.items(BATCH), all.keys.charges(BATCH))).toBe(0);
  const bytes = Number(await all.redis.memory('USAGE', all.keys.ended(BATCH), 'SAMPLES', '0'));
  expect(bytes / ids.length).toBeLessThanOrEqual(16);
  expect(await all.counts()).toEqual(before);
  expect(new Set(await all.state.intake.states(BATCH, ids))).toEqual(new Set(['archived']));
  expect(new Set(await all.spending.creditsOf(BATCH, ids))).toEqual(new Set([8]));
  const others = ids.map((id) => `x${id}`);
  expect(new Set(await all.state.intake.states(BATCH, others))).toEqual(new Set([undefined]));
  expect(new Set(await all.spending.creditsOf(BATCH, others))).toEqual(new Set([0]));
});

test('what an older version counts once more, since it does not know what is packed, is put right', async () => {
  const all = await opened();
  await archive(all, [idOf(1), idOf(2)]);
  await all.state.intake.seal(BATCH);
  await all.state.packed.pack(BATCH);
  const before = await all.counts();
  // As its enqueue does: the state and the charges of a record, of an item that is in none of its hashes.
  await all.redis.hset(all.keys.items(BATCH), idOf(1), 'archived');
  await all.redis.hincrby(all.keys.batch(BATCH), 'n:archived', 1);
  await all.redis.hset(all.keys.charges(BATCH), idOf(1), '8|0|0|');
  await all.redis.hincrbyfloat(all.keys.batch(BATCH), 'credits', 8);
  await all.state.packed.pack(BATCH);
  expect(await all.counts()).toMatchObject({ items: before.items, total: 2, credits: 16 });
});

test('what is left of a batch of the same name that an older version removed says nothing', async () => {
  const all = await opened();
  await archive(all, [idOf(1)]);
  await all.state.intake.seal(BATCH);
  await all.state.packed.pack(BATCH);
  await all.redis.del(all.keys.batch(BATCH), all.keys.items(BATCH), all.keys.charges(BATCH));
  await all.redis.hset(all.keys.batch(BATCH), { created: Date.now() + 5, sealed: '1' });
  expect(await all.stateOf(idOf(1))).toBeUndefined();
  expect(await all.spending.creditsOf(BATCH, [idOf(1)])).toEqual([0]);
  await archive(all, [idOf(2)]);
  await all.state.packed.pack(BATCH);
  expect([await all.stateOf(idOf(1)), await all.stateOf(idOf(2))]).toEqual([undefined, 'archived']);
  expect((await all.counts()).items.archived).toBe(1);
});

const MOVES: readonly ItemState[] = ['queued', 'submitted', 'finished', 'archived', 'failed', 'held'];
const one = fc.integer({ min: 0, max: 5 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('move' as const), n: one, to: fc.constantFrom(...MOVES) }) },
  fc.record({ kind: fc.constant('admit' as const), n: one, to: fc.constantFrom<ItemState>('queued', 'archived') }),
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('charge' as const), n: one, known: fc.nat(3), unsettled: fc.nat(1) }),
  },
  fc.record({ kind: fc.constant('keep' as const), n: one }),
  fc.record({ kind: fc.constant('cancel' as const) }),
  fc.record({ kind: fc.constant('enqueue' as const), seen: fc.subarray([0, 1, 2, 3, 4, 5]), isPart: fc.boolean() }),
);

async function run({ state, spending, stateOf }: Opened, did: typeof step extends fc.Arbitrary<infer T> ? T : never) {
  switch (did.kind) {
    case 'move':
      return state.move(item(idOf(did.n)), did.to);
    case 'admit':
      return state.intake.admit(BATCH, [{ id: idOf(did.n), was: await stateOf(idOf(did.n)), to: did.to }]);
    case 'charge':
      return spending.record(BATCH, [{ id: idOf(did.n), known: did.known * 4, unsettled: did.unsettled * 4 }]);
    case 'keep':
      return spending.keep(BATCH, [idOf(did.n)]);
    case 'cancel':
      return state.cancelQueued(BATCH);
    case 'enqueue':
      await state.intake.open(BATCH, FACTS);
      if (did.seen.length > 0) await state.intake.see(BATCH, did.seen.map(idOf));
      if (!did.isPart) await state.intake.forgetUnseen(BATCH);
      return state.intake.seal(BATCH);
    default:
      return did satisfies never;
  }
}

test('whatever comes in whatever order, a batch says the same, packed at any time or never', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 25 }), async (steps) => {
      const [packs, plain] = [await opened(), await opened()];
      for (const each of [packs, plain]) await each.state.intake.seal(BATCH);
      const said = async (each: Opened) => {
        const ids = [0, 1, 2, 3, 4, 5].map(idOf);
        const { items, total, former, credits, unsettled } = await each.counts();
        const states = await each.state.intake.states(BATCH, ids);
        const charges = await each.spending.creditsOf(BATCH, ids);
        return { items, total, former, credits, unsettled, states, charges };
      };
      for (const [did, isPacked] of steps) {
        for (const each of [packs, plain]) await run(each, did);
        if (isPacked) await packs.state.packed.pack(BATCH);
        expect(await said(packs)).toEqual(await said(plain));
      }
    }),
    { numRuns: 40 },
  );
});
