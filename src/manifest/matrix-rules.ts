import { suggest } from '../text/suggest.ts';
import { type Axis, axesOf, combinationCount, combinations, type Lists } from './matrix.ts';
import { type Finding, type Path, quote } from './problems.ts';
import { VARIABLE_NAME, type Variables } from './template.ts';

/** 10 million images take two months at 20 per 10 s. A larger product is hardly intended. */
export const MAX_ITEMS = 10_000_000;

export type JobLists = { matrix: Lists; zip: Lists; exclude: readonly Variables[]; variants: number };

/** Mistakes in a job's lists taken together. Each list by itself is already valid. */
export function listFindings({ matrix, zip, exclude, variants }: JobLists, base: Path): Finding[] {
  const axes = axesOf(matrix, zip);
  const findings = [
    ...nameFindings(matrix, [...base, 'matrix']),
    ...nameFindings(zip, [...base, 'zip']),
    ...Object.entries(matrix).flatMap(([name, values]) => repeated(values, [...base, 'matrix', name])),
    ...zipFindings(matrix, zip, [...base, 'zip']),
    ...exclude.flatMap((partial, index) => excludeFindings(partial, axes, [...base, 'exclude', index])),
  ];
  const count = combinationCount(axes) * variants;
  if (count > MAX_ITEMS) {
    const path = [...base, 'matrix'];
    return [...findings, { path, message: `expected at most ${MAX_ITEMS} images, got ${count}` }];
  }
  const isNothingLeft = exclude.length > 0 && combinations(axes, exclude).next().done === true;
  if (isNothingLeft) findings.push({ path: [...base, 'exclude'], message: 'leaves no combination' });
  return findings;
}

function nameFindings(lists: Lists, path: Path): Finding[] {
  return Object.keys(lists)
    .filter((name) => !VARIABLE_NAME.test(name))
    .map((name) => ({
      path: [...path, name],
      at: 'key',
      message: 'expected a name without braces around it or in it',
    }));
}

function repeated(values: readonly string[], path: Path): Finding[] {
  const seen = new Set<string>();
  return values.flatMap((value, index) => {
    if (seen.has(value)) return [{ path: [...path, index], message: `${quote(value)} is in the list twice` }];
    seen.add(value);
    return [];
  });
}

function zipFindings(matrix: Lists, zip: Lists, path: Path): Finding[] {
  const both = Object.keys(zip)
    .filter((name) => Object.hasOwn(matrix, name))
    .map((name): Finding => ({ path: [...path, name], at: 'key', message: 'is in the matrix too' }));
  const lengths = Object.entries(zip).map(([name, { length }]) => ({ name, length }));
  const [first] = lengths;
  const other = lengths.find(({ length }) => length !== first?.length);
  if (first !== undefined && other !== undefined) {
    const message = `expected lists of one length, got ${first.length} of ${first.name} and ${other.length} of ${other.name}`;
    return [...both, { path: [...path, other.name], message }];
  }
  const steps = axesOf({}, zip).flatMap((axis) => axis.map((step) => JSON.stringify(step)));
  return [
    ...both,
    ...repeated(steps, path).map((finding) => ({ ...finding, path, message: 'has the same step twice' })),
  ];
}

/**
 * An exclusion with an unknown variable or value excludes nothing. It is a typing mistake, and the images would be paid
 * for.
 */
function excludeFindings(partial: Variables, axes: readonly Axis[], path: Path): Finding[] {
  const known = axes.flatMap(([step = {}]) => Object.keys(step));
  const unknown = Object.keys(partial).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    return unknown.map((name) => {
      const near = suggest(name, known);
      const hint = near === undefined ? `known here: ${known.join(', ')}` : `did you mean ${near}?`;
      return { path: [...path, name], at: 'key', message: 'no such variable in matrix or zip', hint };
    });
  }
  return axes.flatMap((axis): Finding[] => {
    const asked = Object.entries(partial).filter(([name]) => Object.hasOwn(axis[0] ?? {}, name));
    if (axis.some((step) => asked.every(([name, value]) => step[name] === value))) return [];
    const [only] = asked;
    if (asked.length > 1 || only === undefined) return [{ path, message: 'matches no step of the zip' }];
    const values = axis.map((step) => step[only[0]] ?? '');
    const near = suggest(only[1], values);
    return [
      {
        path: [...path, only[0]],
        message: `${quote(only[1])} is not in the list`,
        ...(near === undefined ? {} : { hint: `did you mean ${near}?` }),
      },
    ];
  });
}
