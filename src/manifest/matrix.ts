import type { Variables } from './template.ts';

/** Lists of values by variable, as a job has them. */
export type Lists = Readonly<Record<string, readonly string[]>>;

/** What takes turns together: a variable of the matrix with its values. */
export type Axis = readonly Variables[];

export function axesOf(matrix: Lists): Axis[] {
  return Object.entries(matrix).map(([name, values]) => values.map((value) => ({ [name]: value })));
}

/** What is set takes no turns: its values go, and an axis that had nothing else goes with them. */
export function withoutSet(axes: readonly Axis[], set: Variables): Axis[] {
  return axes.flatMap((axis) => {
    const rest = axis.map((step) =>
      Object.fromEntries(Object.entries(step).filter(([name]) => !Object.hasOwn(set, name))),
    );
    return rest.some((step) => Object.keys(step).length > 0) ? [rest] : [];
  });
}

/** How many combinations there are: 1 when there is no axis. */
export function combinationCount(axes: readonly Axis[]): number {
  return axes.reduce((product, steps) => product * steps.length, 1);
}

/** Every combination, the last axis turning fastest, one at a time: a product can be far larger than memory. */
export function* combinations([first, ...rest]: readonly Axis[]): Generator<Variables, void, undefined> {
  if (first === undefined) {
    yield {};
    return;
  }
  for (const step of first) {
    for (const others of combinations(rest)) yield { ...step, ...others };
  }
}
