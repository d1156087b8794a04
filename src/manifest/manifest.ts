import type { NewItem } from '../items/item.ts';
import { expandRow } from './expand.ts';
import type { Job } from './job.ts';
import { inspectManifest, type Manifest, rowsProblem } from './load.ts';
import { MAX_ITEMS } from './matrix-rules.ts';
import { formatPath, formatProblem, ManifestError, type Problem } from './problems.ts';
import { readRows } from './rows.ts';
import { EVERYTHING, refuseUselessSet, type Selection, type Selector, selectorOf } from './selection.ts';

export type { Manifest };

/** What a manifest's selection comes to; an item that is in it twice is counted twice. */
export type Totals = {
  items: number;
  byModel: Readonly<Record<string, number>>;
  /** By the job's `index`. */
  byJob: readonly number[];
  /** Items of each model, by the job's `index`. */
  modelsByJob: readonly Readonly<Record<string, number>>[];
};

type Options = { signal?: AbortSignal };

/** With `stdin`, `-` stands for what comes there. */
type OpenOptions = { selection?: Selection; stdin?: AsyncIterable<Uint8Array> };

/** Problems of rows that are told; the others are counted. */
const MAX_TOLD = 50;

/**
 * Reads a manifest and everything in it and beside it once, so that nothing is begun of one that is wrong anywhere.
 * Throws a `ManifestError` with all mistakes: of the file and, of the jobs that are right so far, of the rows. What is not selected
 * is checked as well. Throws a UsageError for a selection that selects nothing.
 */
export async function openManifest(
  file: string,
  { selection = EVERYTHING, stdin, ...options }: Options & OpenOptions = {},
): Promise<{ manifest: Manifest; totals: Totals }> {
  const { manifest, problems, omitted } = await inspectManifest(file, selection, stdin);
  const selector = selectorOf(selection);
  const check = await checkItems(manifest, selector, options);
  if (problems.length + check.problems.length > 0) {
    throw new ManifestError(manifest.file, [...problems, ...check.problems], omitted + check.omitted);
  }
  refuseUselessSet(selection, manifest);
  selector.complain();
  return { manifest, totals: check.totals };
}

/** The manifest alone, its rows unread but for a header. Throws a `ManifestError`. */
export async function loadManifest(file: string): Promise<Manifest> {
  const { manifest, problems, omitted } = await inspectManifest(file);
  if (problems.length > 0) throw new ManifestError(manifest.file, problems, omitted);
  return manifest;
}

/** Expands everything without keeping it. Throws a `ManifestError` with the mistakes of all rows and combinations. */
export async function validate(manifest: Manifest, options: Options = {}): Promise<Totals> {
  const { totals, problems, omitted } = await checkItems(manifest, selectorOf(manifest.selection), options);
  if (problems.length > 0) throw new ManifestError(manifest.file, problems, omitted);
  return totals;
}

/**
 * All selected items in the manifest's order, made as they are asked for. Throws a `ManifestError` at the first that cannot be made,
 * which after a `validate` only happens when a file was changed in between.
 */
export async function* expand(manifest: Manifest, { signal }: Options = {}): AsyncGenerator<NewItem, void, undefined> {
  const refuse = (problem: Problem) => {
    throw new ManifestError(manifest.file, [problem]);
  };
  const selector = selectorOf(manifest.selection);
  for (const job of manifest.jobs) {
    for await (const item of expandJob(manifest, job, refuse, signal)) {
      if (selector.takes(item.name)) yield item;
      if (selector.isFull()) return;
    }
  }
}

async function checkItems(
  manifest: Manifest,
  selector: Selector,
  { signal }: Options,
): Promise<{ totals: Totals; problems: Problem[]; omitted: number }> {
  const told = new Map<string, Problem>();
  let omitted = 0;
  const tell = (problem: Problem) => {
    const line = formatProblem(problem);
    // Without rows the same mistake comes with each combination that it is part of.
    if (told.has(line)) return;
    if (told.size < MAX_TOLD) told.set(line, problem);
    else omitted++;
  };
  let items = 0;
  let all = 0;
  const byModel: Record<string, number> = {};
  const byJob: number[] = [];
  const modelsByJob: Record<string, number>[] = [];
  for (const job of manifest.jobs) {
    let count = 0;
    const models: Record<string, number> = {};
    for await (const { name, request } of expandJob(manifest, job, tell, signal)) {
      if (++all > MAX_ITEMS) throw new ManifestError(manifest.file, [tooMany(job)]);
      if (!selector.takes(name)) continue;
      count++;
      models[request.model] = (models[request.model] ?? 0) + 1;
    }
    byJob[job.index] = count;
    modelsByJob[job.index] = models;
    for (const [model, sum] of Object.entries(models)) byModel[model] = (byModel[model] ?? 0) + sum;
    items += count;
  }
  return { totals: { items, byModel, byJob, modelsByJob }, problems: [...told.values()], omitted };
}

async function* expandJob(
  { batch }: Manifest,
  job: Job,
  tell: (problem: Problem) => void,
  signal: AbortSignal | undefined,
): AsyncGenerator<NewItem, void, undefined> {
  if (job.rows === undefined) {
    for (const item of expandRow(batch, job, {}, (mistake) => tell(ofJob(job, mistake)))) {
      signal?.throwIfAborted();
      yield item;
    }
    return;
  }
  const { shown } = job.rows;
  for await (const event of readRows(job.rows, signal)) {
    signal?.throwIfAborted();
    if (event.kind === 'mistake') tell(rowsProblem(job, event));
    if (event.kind !== 'row') continue;
    const { line, values } = event;
    const hidden = job.variables.find((name) => Object.hasOwn(values, name));
    if (hidden !== undefined) {
      tell(
        rowsProblem(job, {
          kind: 'mistake',
          line,
          message: `"${hidden}" is in ${job.zipped.includes(hidden) ? 'the zip' : 'the matrix'} too`,
        }),
      );
      continue;
    }
    yield* expandRow(batch, job, values, ({ key, message }) =>
      tell({ file: shown, line, path: formatPath(['jobs', job.number, key]), message }),
    );
  }
}

function ofJob(job: Job, { key, message }: { key: string; message: string }): Problem {
  const position = job.positions.get(key) ?? job.positions.get('');
  return { file: job.file, ...position, path: formatPath(['jobs', job.number, key]), message };
}

function tooMany(job: Job): Problem {
  return {
    ...ofJob(job, { key: '', message: `expected at most ${MAX_ITEMS} images in one manifest` }),
    path: 'jobs',
  };
}
