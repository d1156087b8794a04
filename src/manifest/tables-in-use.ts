import { type Job, templatesOf } from './job.ts';
import type { Problem } from './problems.ts';

/** Looks which columns of each table its jobs use, all together. */
export function tablesInUse(): {
  note(job: Pick<Job, 'id' | 'was' | 'parameters' | 'rows'>, columns: readonly string[]): void;
  unusedColumns(): Problem[];
} {
  const tables = new Map<string, { columns: readonly string[]; used: Set<string> }>();
  return {
    note(job, columns) {
      if (job.rows?.key !== 'rows') return;
      const table = tables.get(job.rows.shown) ?? { columns, used: new Set() };
      for (const [, { names }] of templatesOf(job)) for (const name of names) table.used.add(name);
      for (const name of Object.keys(job.rows.wanted.where)) table.used.add(name);
      tables.set(job.rows.shown, table);
    },
    unusedColumns: () =>
      [...tables].flatMap(([file, { columns, used }]): Problem[] => {
        const unused = columns.filter((column) => !used.has(column));
        if (unused.length === 0) return [];
        const what = unused.length === 1 ? `the column ${unused[0]}` : `the columns ${unused.join(', ')}`;
        return [{ file, line: 1, path: '', message: `nothing uses ${what}` }];
      }),
  };
}
