import { quote } from '../manifest/problems.ts';
import type { Variables } from '../manifest/template.ts';
import { globOf } from '../text/glob.ts';
import { suggest } from '../text/suggest.ts';
import type { RowMistake } from './row.ts';
import type { RowsFile } from './rows-file.ts';

/** So many values of a column are kept to suggest from. */
const MAX_KEPT = 1_000;

/** Selects rows by `where` and `limit`. */
export function wantedRows({ wanted: { where, limit } }: Pick<RowsFile, 'wanted'>) {
  const conditions = Object.entries(where).map(([name, texts]) => ({
    name,
    patterns: texts.map((text) => ({ text, pattern: globOf(text), isMatched: false })),
    seen: new Set<string>(),
  }));
  let taken = 0;
  return {
    takes(values: Variables): boolean {
      let isTaken = taken < limit;
      for (const { name, patterns, seen } of conditions) {
        const value = Object.hasOwn(values, name) ? values[name] : undefined;
        if (value !== undefined && seen.size < MAX_KEPT) seen.add(value);
        const matching = patterns.filter(({ pattern }) => value !== undefined && pattern.test(value));
        for (const match of matching) match.isMatched = true;
        if (matching.length === 0) isTaken = false;
      }
      if (isTaken) taken++;
      return isTaken;
    },
    isFull: () => taken >= limit,
    /** What no row has: mistyped, it would leave rows out without a word. */
    unmatched(): RowMistake[] {
      const mistakes = conditions.flatMap(({ name, patterns, seen }) =>
        patterns
          .filter(({ isMatched }) => !isMatched)
          .map(({ text }): RowMistake => {
            const near = suggest(text, [...seen]);
            const some = [...seen].slice(0, 5).map(quote).join(', ');
            const hint =
              seen.size === 0 ? undefined : near === undefined ? `it has ${some} …` : `did you mean ${near}?`;
            const message = `where: no row has ${quote(text)} in ${quote(name)}`;
            return { kind: 'mistake', message, ...(hint === undefined ? {} : { hint }) };
          }),
      );
      if (mistakes.length > 0 || taken > 0 || conditions.length === 0) return mistakes;
      return [{ kind: 'mistake', message: 'where: no row has all of this' }];
    },
  };
}
