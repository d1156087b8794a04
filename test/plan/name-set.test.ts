import { expect, test } from 'vitest';
import { nameSetOf } from '../../src/plan/name-set.ts';
import { fingerprint } from '../../src/text/fingerprint.ts';

async function* names(from: number, to: number) {
  for (let n = from; n < to; n++) yield `teapot-${n}-0123456789ab`;
}

test('what is in it is recognized, and nothing else', async () => {
  const set = await nameSetOf(names(0, 50_000));
  expect(set.size).toBe(50_000);
  for await (const name of names(0, 50_000)) if (!set.has(name)) throw new Error(`${name} is missing`);
  for await (const name of names(50_000, 100_000)) if (set.has(name)) throw new Error(`${name} is not in it`);
  expect((await nameSetOf(names(0, 0))).has('a')).toBe(false);
});

test('fingerprints of like names differ, and are whole numbers', () => {
  const all = Array.from({ length: 200_000 }, (_, n) => fingerprint(`teapot-${n}-0123456789ab`));
  expect(new Set(all).size).toBe(all.length);
  expect(all.every(Number.isSafeInteger)).toBe(true);
});
