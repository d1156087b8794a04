import type { z } from 'zod';
import { type Finding, type Path, quote } from './problems.ts';
import { suggest } from './suggest.ts';

type Issue = z.core.$ZodIssue;

/**
 * Parses one level of the manifest. Invalid keys become findings and are left out of `data`, so that the other checks
 * can go on. `broken` names these keys: they are in the file, but not in `data`.
 */
export function checkMap<S extends z.ZodObject>(
  schema: S,
  value: unknown,
  base: Path,
): { data: z.output<S> | undefined; broken: ReadonlySet<string>; findings: Finding[] } {
  const first = schema.safeParse(value, { reportInput: true });
  if (first.success) return { data: first.data, broken: new Set(), findings: [] };
  const { issues } = first.error;
  const findings = issues.flatMap((issue) => findingsOf(issue, base, Object.keys(schema.shape)));
  if (typeof value !== 'object' || value === null) return { data: undefined, broken: new Set(), findings };
  const broken = new Set(
    issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : [String(issue.path[0])])),
  );
  const rest = Object.fromEntries(Object.entries(value).filter(([key]) => !broken.has(key)));
  return { data: schema.safeParse(rest).data, broken, findings };
}

/** Puts an issue of zod into our words. `known` are the keys to suggest from when one is unknown. */
export function findingsOf(issue: Issue, base: Path, known: readonly string[]): Finding[] {
  const path = [...base, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, path, known));
    case 'invalid_union': {
      // Each union is "a template or a plain value". The last alternative, the plain value, has the useful message.
      const issues = issue.errors.at(-1) ?? [];
      return issues.flatMap((inner) => findingsOf(inner, path, known));
    }
    default:
      return [{ path, message: `${expectation(issue)}, got ${quote(issue.input)}`, ...quotingHint(issue) }];
  }
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

/** YAML reads an unquoted `1` or `true` as a number or a boolean. Quotes make it text. */
function quotingHint(issue: Issue): { hint?: string } {
  const bare = typeof issue.input === 'number' || typeof issue.input === 'boolean';
  if (issue.code !== 'invalid_type' || issue.expected !== 'string' || !bare) return {};
  return { hint: `put quotes around it: "${issue.input}"` };
}

function unknownKey(key: string, path: Path, known: readonly string[]): Finding {
  const near = suggest(key, known);
  const hint = /callback|webhook/i.test(key)
    ? 'callbacks belong to the deployment: set FLUX_CALLBACK_URL'
    : near === undefined
      ? `known here: ${known.join(', ')}`
      : `did you mean ${near}?`;
  return { path: [...path, key], at: 'key', message: 'unknown key', hint };
}
