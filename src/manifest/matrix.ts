import type { Variables } from './template.ts';

/** Lists of values by variable, as a job has them. */
export type Lists = Readonly<Record<string, readonly string[]>>;

/** What takes turns together: a variable of the matrix with its values, or all those of a zip. */
export type Axis = readonly Variables[];

export function axesOf(matrix: Lists, zip: Lists): Axis[] {
  const axes = Object.entries(matrix).map(([name, values]) => values.map((value) => ({ [name]: value })));
  const zipped = Object.entries(zip);
  const steps = Math.min(...zipped.map(([, values]) => values.length));
  if (zipped.length === 0) return axes;
  const inStep = Array.from({ length: steps }, (_, step) =>
    Object.fromEntries(zipped.map(([name, values]) => [name, values[step] ?? ''])),
  );
  return [...axes, inStep];
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

/**
 * Every combination, the last axis turning fastest, one at a time: a product can be far larger than memory. `set` is part of each.
 * Left out is what has all the values of one of `exclude`.
 */
export function* combinations(
  axes: readonly Axis[],
  exclude: readonly Variables[],
  set: Variables = {},
): Generator<Variables, void, undefined> {
  const isExcluded = (combination: Variables) =>
    exclude.some((partial) => Object.entries(partial).every(([name, value]) => combination[name] === value));
  for (const combination of product(axes)) {
    const whole = { ...combination, ...set };
    if (!isExcluded(whole)) yield whole;
  }
}

function* product([first, ...rest]: readonly Axis[]): Generator<Variables, void, undefined> {
  if (first === undefined) {
    yield {};
    return;
  }
  for (const step of first) {
    for (const others of product(rest)) yield { ...step, ...others };
  }
}
