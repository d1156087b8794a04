import type { Variables } from './template.ts';

/** Values by variable: a job's `matrix` or `zip`. */
export type Lists = Readonly<Record<string, readonly string[]>>;

/** Values that vary together, step by step: those of one matrix variable, or those of all zip variables. */
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

/**
 * Removes the variables of `--set` from the axes, since they do not vary. An axis without other variables is removed.
 */
export function withoutSet(axes: readonly Axis[], set: Variables): Axis[] {
  return axes.flatMap((axis) => {
    const rest = axis.map((step) =>
      Object.fromEntries(Object.entries(step).filter(([name]) => !Object.hasOwn(set, name))),
    );
    return rest.some((step) => Object.keys(step).length > 0) ? [rest] : [];
  });
}

/** 1 when there is no axis. */
export function combinationCount(axes: readonly Axis[]): number {
  return axes.reduce((product, steps) => product * steps.length, 1);
}

/**
 * Yields every combination, the last axis varying fastest. Lazy, since a product can be larger than memory. `set` is
 * part of each combination. A combination that has all values of an entry of `exclude` is left out.
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
