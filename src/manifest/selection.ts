import { UsageError } from '../errors.ts';
import { textInOneForm } from '../items/one-form.ts';
import { globOf } from '../text/glob.ts';
import { suggest } from '../text/suggest.ts';
import { type Job, templatesOf } from './job.ts';
import type { Variables } from './template.ts';

/** The part of a manifest that is wanted. The rest is checked, but makes no items. */
export type Selection = {
  /** Patterns for the names of items. Empty selects all. With commas, several in one, unless an item has this name. */
  only: readonly string[];
  /** At most so many of the matching items, the first ones. */
  limit: number;
  /** Values that win over a matrix and over rows. */
  set: Variables;
};

export const EVERYTHING: Selection = { only: [], limit: Number.POSITIVE_INFINITY, set: {} };

/** At most so many names are kept to suggest from. A manifest may have millions. */
const MAX_NAMES = 10_000;
const SHOWN = 8;

/** Whether it may leave items of the manifest out, or makes others of them. */
export function isPart({ only, limit, set }: Selection): boolean {
  return only.length > 0 || limit < EVERYTHING.limit || Object.keys(set).length > 0;
}

export type Selector = {
  /** Must be called once for each item, in order. */
  takes(name: string): boolean;
  /** The limit is reached. */
  isFull(): boolean;
  /** Throws a UsageError (`only-unmatched`) when a pattern has matched no item. */
  assertMatched(): void;
};

export function selectorOf({ only, limit }: Selection): Selector {
  const patterns = only.map((text) => ({ text, pattern: globOf(textInOneForm(text)), matched: false }));
  const names = new Set<string>();
  let taken = 0;
  return {
    takes(name) {
      if (patterns.length > 0 && names.size < MAX_NAMES) names.add(name);
      const matching = patterns.filter(({ pattern }) => pattern.test(name));
      for (const match of matching) match.matched = true;
      if (taken >= limit || (patterns.length > 0 && matching.length === 0)) return false;
      taken++;
      return true;
    },
    isFull: () => taken >= limit,
    assertMatched() {
      const unmatched = patterns.find(({ matched }) => !matched);
      if (unmatched === undefined) return;
      throw new UsageError('only-unmatched', `--only ${unmatched.text}: no item has such a name`, {
        hint: knownNames(unmatched.text.replace(/[*?]/g, ''), [...names]),
      });
    },
  };
}

/** Of texts with commas, those that are names as a whole; the others are lists of patterns. */
export function wholeNames(texts: ReadonlySet<string>) {
  const patterns = [...texts].map((text) => ({ text, pattern: globOf(textInOneForm(text)) }));
  const found = new Set<string>();
  return {
    look(name: string): void {
      for (const { text, pattern } of patterns) if (pattern.test(name)) found.add(text);
    },
    patternsOf: (text: string): string[] =>
      found.has(text) ? [text] : text.split(',').map((pattern) => pattern.trim()),
  };
}

/** Throws a UsageError (`set-unknown`) for a variable of `--set` that would change nothing. */
export function refuseUselessSet({ set }: Selection, jobs: readonly Job[]): void {
  const known = new Set(
    jobs.flatMap((job) => [...job.variables, ...templatesOf(job).flatMap(([, template]) => template.names)]),
  );
  const useless = Object.keys(set).find((name) => !known.has(name));
  if (useless === undefined) return;
  throw new UsageError('set-unknown', `--set ${useless}: nothing in the manifest uses a variable of this name`, {
    hint: known.size === 0 ? 'It has no variables.' : knownNames(useless, [...known]),
  });
}

function knownNames(wanted: string, names: readonly string[]): string {
  const near = suggest(wanted, names);
  if (near !== undefined) return `Did you mean ${near}?`;
  const more = names.length > SHOWN ? ', …' : '';
  return `There are: ${names.slice(0, SHOWN).join(', ')}${more}`;
}
