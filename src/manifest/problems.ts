import { UsageError } from '../errors.ts';

/** 1-based. */
export type Position = { line: number; column: number };

/** A place in the manifest's data: `['jobs', 2, 'matrix', 'color']`. */
export type Path = readonly (string | number)[];

/**
 * A mistake as the checks report it: by path, not yet by line. `at: 'key'` means that the key itself is wrong, not its
 * value.
 */
export type Finding = { path: Path; at?: 'key'; message: string; hint?: string };

/** A mistake as a person sees it. `file` is the path as given, so that an editor can open `file:line`. */
export type Problem = {
  /** The path of the file, as it was given. */
  file: string;
  /** 1-based; absent when the whole file is meant. */
  line?: number;
  /** 1-based; absent when a whole line or file is meant. */
  column?: number;
  /** `jobs[2].matrix.color`; empty when the whole file is meant. */
  path: string;
  /** What is wrong, and what was expected. */
  message: string;
  /** What was perhaps meant: `did you mean prompt?` */
  hint?: string;
};

/**
 * The manifest is invalid, and nothing was done. `problems` lists its mistakes, `omitted` counts those over the limit.
 */
export class ManifestError extends UsageError {
  /** In reading order. */
  readonly problems: readonly Problem[];
  /** How many more there are than are listed. */
  readonly omitted: number;

  constructor(file: string, problems: readonly Problem[], omitted = 0) {
    const count = problems.length + omitted;
    const headline = `${file} has ${count === 1 ? 'a mistake' : `${count} mistakes`}:`;
    super('manifest-invalid', [headline, ...formatProblems(problems, omitted)].join('\n'), { facts: { file, count } });
    this.problems = problems;
    this.omitted = omitted;
  }
}

/** `jobs.yaml:12:9  jobs[1].aspectRatio: expected one of 21:9, 16:9, got "5:4"` */
export function formatProblem({ file, line, column, path, message, hint }: Problem): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(':');
  return `${place}  ${path === '' ? '' : `${path}: `}${message}${hint === undefined ? '' : `; ${hint}`}`;
}

/** A line for each problem, and one more that counts the omitted ones. */
export function formatProblems(problems: readonly Problem[], omitted = 0): string[] {
  return [...problems.map(formatProblem), ...(omitted > 0 ? [`… and ${omitted} more`] : [])];
}

/** Sorts in reading order. Problems of a whole file, without a line, come first. */
export function byPosition(a: Problem, b: Problem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

/** `jobs[2].matrix.color`, `jobs[0]["odd key"]` */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    if (!/^[\p{L}\p{N}_-]+$/u.test(step)) return `${text}[${quote(step)}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}

/** Formats a value for a message: text in quotes and cut to 60 characters, a list or a map by its kind only. */
export function quote(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value !== 'string') return String(value);
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value);
}
