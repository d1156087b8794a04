import { expect, test } from 'vitest';
import { createRandom, logNormal } from '../../src/simulator/random.ts';

const first = (count: number, draw: () => number) => Array.from({ length: count }, draw);

test('the same seed gives the same numbers, another seed or stream others', () => {
  const numbers = first(20, createRandom(7, 'faults'));
  expect(first(20, createRandom(7, 'faults'))).toEqual(numbers);
  expect(first(20, createRandom(8, 'faults'))).not.toEqual(numbers);
  expect(first(20, createRandom(7, 'latency'))).not.toEqual(numbers);
});

test('task durations lie around their median, with a tail to the right', () => {
  const random = createRandom(1, 'durations');
  const drawn = first(4_001, () => logNormal(random, 12_000, 0.35)).sort((a, b) => a - b);
  expect(drawn[2_000]).toBeGreaterThan(11_500);
  expect(drawn[2_000]).toBeLessThan(12_500);
  expect(drawn[0]).toBeGreaterThan(2_000);
  expect(drawn[4_000]).toBeGreaterThan(25_000);
});
