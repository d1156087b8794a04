import { idSet } from '../items/id-set.ts';
import { kindOfItem } from '../money/prices.ts';
import type { ManifestItem } from './expand.ts';
import { itemsOfJob, tooMany } from './items-of-job.ts';
import { type InspectOptions, inspectManifest, type Manifest } from './load.ts';
import { MAX_ITEMS } from './matrix-rules.ts';
import { formatProblem, ManifestError, type Problem } from './problems.ts';
import { type Repeats, repeatCounter } from './repeats.ts';
import { refuseUselessSet, type Selection, type Selector, selectorOf, wholeNames } from './selection.ts';

export type { Manifest, ManifestItem };

/** Counts of a manifest's selected items. One that appears again, by name and request, is counted once. */
export type Totals = {
  items: number;
  /** What appears again, selected or not. */
  repeated: Repeats;
  /** How files were read that do not say so themselves, and what was left out of them. */
  notes: readonly string[];
  byModel: Readonly<Record<string, number>>;
  /** By the job's `index`. */
  byJob: readonly number[];
  /** Items of each model, by the job's `index`. */
  modelsByJob: readonly Readonly<Record<string, number>>[];
};

type Options = { signal?: AbortSignal };

/** At most so many problems of rows are listed. Further ones are only counted. */
const MAX_LISTED = 50;

/**
 * Reads a manifest with its included files and rows once and checks all of it, so that no batch is started from an
 * invalid one. Throws a `ManifestError` with all mistakes: those of the files, and those in the rows of all jobs that
 * are valid so far. Items that are not selected are checked as well. Throws a UsageError (`only-unmatched`,
 * `set-unknown`) for a selection without effect.
 */
export async function openManifest(
  file: string,
  { signal, ...opening }: Options & InspectOptions = {},
): Promise<{ manifest: Manifest; totals: Totals }> {
  const { manifest: whole, problems, omitted } = await inspectManifest(file, opening);
  const options = signal === undefined ? {} : { signal };
  const manifest = { ...whole, selection: await withWholeNames(whole, options) };
  const selector = selectorOf(manifest.selection);
  const check = await checkItems(manifest, selector, options);
  if (problems.length + check.problems.length > 0) {
    throw new ManifestError(manifest.file, [...problems, ...check.problems], omitted + check.omitted);
  }
  refuseUselessSet(manifest.selection, manifest.jobs);
  selector.assertMatched();
  return { manifest, totals: check.totals };
}

/** Loads the manifest and the headers of its rows, not the rows. Throws a `ManifestError`. */
export async function loadManifest(file: string): Promise<Manifest> {
  const { manifest, problems, omitted } = await inspectManifest(file);
  if (problems.length > 0) throw new ManifestError(manifest.file, problems, omitted);
  return manifest;
}

/**
 * Expands and counts all items without keeping them. Throws a `ManifestError` with the mistakes of all rows and
 * combinations.
 */
export async function validate(manifest: Manifest, options: Options = {}): Promise<Totals> {
  const { totals, problems, omitted } = await checkItems(manifest, selectorOf(manifest.selection), options);
  if (problems.length > 0) throw new ManifestError(manifest.file, problems, omitted);
  return totals;
}

/**
 * Yields all selected items lazily, in the manifest's order, each once. Throws a `ManifestError` at the first invalid item. After
 * `validate`, that happens only if a file has changed since.
 */
export async function* expand(
  manifest: Manifest,
  { signal }: Options = {},
): AsyncGenerator<ManifestItem, void, undefined> {
  const refuse = (problem: Problem) => {
    throw new ManifestError(manifest.file, [problem]);
  };
  const selector = selectorOf(manifest.selection);
  const ids = idSet();
  for (const job of manifest.jobs) {
    for await (const item of itemsOfJob(manifest, job, { report: refuse, signal })) {
      if (!ids.add(item.id)) continue;
      if (selector.takes(item.name)) yield item;
      if (selector.isFull()) return;
    }
  }
}

/**
 * A name may have a comma in it: `--only 'A cat, sitting'` means the item of this name where there is one, and else two patterns.
 */
async function withWholeNames(manifest: Manifest, { signal }: Options): Promise<Selection> {
  const { selection } = manifest;
  const candidates = new Set(selection.only.filter((text) => text.includes(',')));
  if (candidates.size === 0) return selection;
  const whole = wholeNames(candidates);
  for (const job of manifest.jobs) {
    for await (const { name } of itemsOfJob(manifest, job, { report: () => {}, signal })) whole.look(name);
  }
  return { ...selection, only: selection.only.flatMap(whole.patternsOf) };
}

async function checkItems(
  manifest: Manifest,
  selector: Selector,
  { signal }: Options,
): Promise<{ totals: Totals; problems: Problem[]; omitted: number }> {
  const listed = new Map<string, Problem>();
  let omitted = 0;
  const report = (problem: Problem) => {
    const line = formatProblem(problem);
    // Without rows, the same mistake repeats for each combination that has it.
    if (listed.has(line)) return;
    if (listed.size < MAX_LISTED) listed.set(line, problem);
    else omitted++;
  };
  const notes = new Set<string>();
  const note = (text: string) => notes.add(text);
  let items = 0;
  let all = 0;
  const ids = idSet();
  const repeats = repeatCounter();
  const byModel: Record<string, number> = {};
  const byJob: number[] = [];
  const modelsByJob: Record<string, number>[] = [];
  for (const job of manifest.jobs) {
    let count = 0;
    const models: Record<string, number> = {};
    for await (const { place, ...item } of itemsOfJob(manifest, job, { report, note, signal })) {
      if (++all > MAX_ITEMS) throw new ManifestError(manifest.file, [tooMany(job)]);
      if (!ids.add(item.id)) {
        repeats.note(place);
        continue;
      }
      if (!selector.takes(item.name)) continue;
      count++;
      const kind = kindOfItem(item);
      models[kind] = (models[kind] ?? 0) + 1;
    }
    byJob[job.index] = count;
    modelsByJob[job.index] = models;
    for (const [model, sum] of Object.entries(models)) byModel[model] = (byModel[model] ?? 0) + sum;
    items += count;
  }
  return {
    totals: { items, byModel, byJob, modelsByJob, repeated: repeats.found, notes: [...notes] },
    problems: [...listed.values()],
    omitted,
  };
}
