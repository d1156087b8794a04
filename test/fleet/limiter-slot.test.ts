import { expect, test, vi } from 'vitest';
import { slotTaker } from '../../src/fleet/limiter-slot.ts';

const NEVER = new AbortController().signal;

/** What the limiter's log is told: for each request how long ago it was counted. */
function openTaker() {
  const told: number[] = [];
  const take = slotTaker({
    take: async () => ({ waitMs: 0, isClear: true }),
    ready: async () => 0,
    settle: async (_token, ago) => void told.push(ago),
    refuse: async (_token, ago) => void told.push(ago),
    release: async () => {},
  });
  return { told, take: () => take({ leadMs: 0, goesOut: true, signal: NEVER }) };
}

let now = 10_000;
vi.spyOn(performance, 'now').mockImplementation(() => now);

async function answeredAfter(slot: { sent(): void; settle(): Promise<void> }, ms: number) {
  slot.sent();
  now += ms;
  await slot.settle();
}

test('a request that leaves before a process has had any answer counts from its answer, up to a second after it left', async () => {
  const { told, take } = openTaker();
  const [first, second, slow] = [await take(), await take(), await take()];
  first.sent();
  second.sent();
  slow.sent();
  now += 300;
  await first.settle();
  await second.settle();
  now += 2_700;
  await slow.settle();
  expect(told).toEqual([0, 0, 2_000]);
});

test('once something was answered a request counts from when it left', async () => {
  const { told, take } = openTaker();
  await answeredAfter(await take(), 40);
  await answeredAfter(await take(), 250);
  expect(told).toEqual([0, 250]);
});

test('a refusal is an answer', async () => {
  const { told, take } = openTaker();
  const refused = await take();
  refused.sent();
  now += 50;
  await refused.refuse(undefined);
  await answeredAfter(await take(), 70);
  expect(told).toEqual([0, 70]);
});
