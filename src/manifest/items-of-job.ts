import { readRows } from '../tables/rows.ts';
import { expandRow, type ManifestItem } from './expand.ts';
import type { Job } from './job.ts';
import { type Manifest, rowsProblem } from './load.ts';
import { MAX_ITEMS } from './matrix-rules.ts';
import { formatPath, type Problem } from './problems.ts';
import { templateText } from './template.ts';

type Listener = {
  report: (problem: Problem) => void;
  note?: (text: string) => void;
  signal: AbortSignal | undefined;
};

/**
 * Yields all items of a job, those of its rows as they are read. What makes no valid item is reported instead. An item
 * that appears twice is yielded twice.
 */
export async function* itemsOfJob(
  { batch, models }: Manifest,
  job: Job,
  { report, note = () => {}, signal }: Listener,
): AsyncGenerator<ManifestItem, void, undefined> {
  const source = templateText(job.id);
  if (job.rows === undefined) {
    const line = job.positions.get('')?.line;
    const place = { job: source, file: job.file, ...(line === undefined ? {} : { line }) };
    for (const item of expandRow(batch, job, {}, place, models, (mistake) => report(ofJob(job, mistake)))) {
      signal?.throwIfAborted();
      yield item;
    }
    return;
  }
  const { shown } = job.rows;
  for await (const event of readRows(job.rows, signal)) {
    signal?.throwIfAborted();
    if (event.kind === 'mistake') report(rowsProblem(job, event));
    if (event.kind === 'note') note(`${shown}: ${event.message}`);
    if (event.kind !== 'row') continue;
    const { line, values } = event;
    const hidden = job.variables.find((name) => Object.hasOwn(values, name));
    if (hidden !== undefined) {
      report(
        rowsProblem(job, {
          kind: 'mistake',
          line,
          message: `"${hidden}" is in ${job.zipped.includes(hidden) ? 'the zip' : 'the matrix'} too`,
        }),
      );
      continue;
    }
    yield* expandRow(batch, job, values, { job: source, file: shown, line }, models, ({ key, ...mistake }) =>
      report({ file: shown, line, path: formatPath(['jobs', job.number, key]), ...mistake }),
    );
  }
}

function ofJob(job: Job, { key, ...mistake }: { key: string; message: string; hint?: string }): Problem {
  const position = job.positions.get(key) ?? job.positions.get('');
  return { file: job.file, ...position, path: formatPath(['jobs', job.number, key]), ...mistake };
}

export function tooMany(job: Job): Problem {
  return {
    ...ofJob(job, { key: '', message: `expected at most ${MAX_ITEMS} images in one manifest` }),
    path: 'jobs',
  };
}
