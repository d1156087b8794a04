import type { z } from 'zod';
import { type Finding, type Path, quote } from './problems.ts';
import { isParameter } from './request-schema.ts';
import { ROWS_KEYS } from './schema.ts';
import { unknownKey } from './unknown-key.ts';

type Issue = z.core.$ZodIssue;

/**
 * Parses one level of the manifest. Invalid keys become findings and are left out of `data`, so that the other checks
 * can go on. `broken` names these keys: they are in the file, but not in `data`.
 */
export function checkMap<S extends z.ZodObject>(
  schema: S,
  value: unknown,
  base: Path,
  source: SourceOf,
): { data: z.output<S> | undefined; broken: ReadonlySet<string>; findings: Finding[] } {
  const first = schema.safeParse(value, { reportInput: true });
  const dropped = droppedNames(value, base);
  if (first.success) return { data: first.data, broken: new Set(), findings: dropped };
  const { issues } = first.error;
  const findings = [
    ...dropped,
    ...issues.flatMap((issue) => findingsOf(issue, base, Object.keys(schema.shape), source)),
  ];
  if (typeof value !== 'object' || value === null) return { data: undefined, broken: new Set(), findings };
  const broken = new Set(
    issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : [String(issue.path[0])])),
  );
  const rest = Object.fromEntries(Object.entries(value).filter(([key]) => !broken.has(key)));
  return { data: schema.safeParse(rest).data, broken, findings };
}

/** Where any name may stand zod leaves this one out without a word. */
function droppedNames(value: unknown, base: Path): Finding[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    typeof inner === 'object' && inner !== null && Object.hasOwn(inner, '__proto__')
      ? [{ path: [...base, key, '__proto__'], at: 'key' as const, message: 'may not be "__proto__"' }]
      : [],
  );
}

/** The text of a value as it is written in the file, where it is known. */
export type SourceOf = (path: Path) => string | undefined;

/** Puts an issue of zod into our words. `known` are the keys to suggest from when one is unknown. */
export function findingsOf(
  issue: Issue,
  base: Path,
  known: readonly string[] = [],
  source: SourceOf = () => undefined,
): Finding[] {
  const path = [...base, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, path, path.at(-1) === 'rows' ? ROWS_KEYS : known));
    case 'invalid_union':
      return alternativeOf(issue).flatMap((inner) => findingsOf(inner, path, known, source));
    default: {
      const written = isBare(issue) ? (source(path) ?? String(issue.input)) : quote(issue.input);
      const hint = { ...quotingHint(issue, written), ...listHint(issue, path) };
      return [{ path, message: `${expectation(issue)}, got ${written}`, ...hint }];
    }
  }
}

/**
 * Most unions are "a template or a plain value": the last alternative, the plain value, has the useful message. A map, or a list, is
 * meant as the alternative that is one.
 */
function alternativeOf({ errors, input }: Extract<Issue, { code: 'invalid_union' }>): Issue[] {
  const isNested = typeof input === 'object' && input !== null;
  const isOtherType = ({ code, path }: Issue) => code === 'invalid_type' && path.length === 0;
  const asNested = isNested ? errors.find((issues) => !issues.some(isOtherType)) : undefined;
  return asNested ?? errors.at(-1) ?? [];
}

function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${TYPE_NAMES[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `expected ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      if (issue.origin === 'string') return 'expected text that is not empty';
      if (issue.origin === 'array') return 'expected at least one entry';
      return `expected ${issue.minimum} or more`;
    case 'too_big':
      if (issue.origin === 'string') return `expected at most ${issue.maximum} characters`;
      return `expected at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

/**
 * YAML reads an unquoted `1` or `true` as a number or a boolean. Quotes make it text: as it was written, since `007` and `0x1F`
 * are other texts than the numbers they are read as.
 */
function quotingHint(issue: Issue, written: string): { hint?: string } {
  return isBare(issue) ? { hint: `put quotes around it: "${written}"` } : {};
}

function isBare({ code, input, ...issue }: Issue): boolean {
  const isText = code === 'invalid_type' && 'expected' in issue && issue.expected === 'string';
  return isText && (typeof input === 'number' || typeof input === 'boolean');
}

/** A list where one value belongs: each of it wanted, probably. */
function listHint(issue: Issue, path: Path): { hint?: string } {
  const [name] = path.slice(-1);
  if (!Array.isArray(issue.input) || issue.code === 'too_small' || !isParameter(name) || name === 'inputImages')
    return {};
  return { hint: `for an image of each, write ${name}: "{{ ${name} }}" and matrix: { ${name}: [ … ] }` };
}
