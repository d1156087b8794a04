import type { Variables } from './template.ts';

export type Matrix = Readonly<Record<string, readonly string[]>>;

/** How many combinations there are: 1 for an empty matrix. */
export function combinationCount(matrix: Matrix): number {
  return Object.values(matrix).reduce((product, values) => product * values.length, 1);
}

/** Every combination, the last variable turning fastest, one at a time: a product can be far larger than memory. */
export function* combinations(matrix: Matrix): Generator<Variables, void, undefined> {
  const [first, ...rest] = Object.entries(matrix);
  if (first === undefined) {
    yield {};
    return;
  }
  const [name, values] = first;
  for (const value of values) {
    for (const others of combinations(Object.fromEntries(rest))) yield { [name]: value, ...others };
  }
}
