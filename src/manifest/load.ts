import { hash } from 'node:crypto';
import { dirname, isAbsolute, join } from 'node:path';
import { foundPath } from '../files/found-path.ts';
import { loadModels } from '../provider/models/load-models.ts';
import type { Models } from '../provider/models/sheet.ts';
import { refuseTable } from '../starters/refuse-table.ts';
import { picturePattern } from '../tables/picture-files.ts';
import { readText, readTextOf, UnreadableFile } from '../tables/read.ts';
import type { RowMistake } from '../tables/row.ts';
import { probeRows } from '../tables/rows.ts';
import { type RowsFile, rowsFormatOf } from '../tables/rows-file.ts';
import { gatherFiles, MAX_MANIFEST_BYTES } from './include.ts';
import { type Job, templatesOf } from './job.ts';
import { type OwnPictures, ownPictures } from './own-pictures.ts';
import type { ParsedJob, ParsedManifest } from './parse.ts';
import { byPosition, formatPath, ManifestError, type Problem } from './problems.ts';
import { type Reach, reachOf } from './reach.ts';
import { unusedLists, variableFindings } from './rules.ts';
import { EVERYTHING, type Selection } from './selection.ts';
import { tablesInUse } from './tables-in-use.ts';

/** What most models say of a picture to start from; Flux Kontext at kie says nothing. */
const INPUT_MAX_BYTES = 10_000_000;

/** A manifest on stdin: its argument on the command line, and its name in messages. */
const STDIN_ARGUMENT = '-';
export const STDIN = '<stdin>';

/** A manifest whose own files and row headers are valid. The rows themselves may not be checked yet. */
export type Manifest = {
  /** The path as given, or `<stdin>`. */
  file: string;
  batch: string;
  /** sha256 in hex, over the file and the files that it includes. Files of rows are not part of it. */
  digest: string;
  jobs: readonly Job[];
  /** The files that it consists of: itself, what it includes, and its tables of rows and prompts. */
  files: readonly string[];
  /** What is no mistake, but perhaps not meant. */
  warnings: readonly Problem[];
  /** What other providers' models take. */
  models: Models;
  /** The pictures of one's own that its items start from. */
  pictures: OwnPictures;
  /** Which of its items are wanted. */
  selection: Selection;
};

export type InspectOptions = {
  selection?: Selection;
  /** What `-` stands for. */
  stdin?: AsyncIterable<Uint8Array>;
  /** A file of models over our own: FLUX_MODELS. */
  modelsFile?: string | undefined;
  /** Files that the manifest names may be outside of its folder. */
  allowOutside?: boolean;
  /** Of a picture to start from, where its model says nothing: INPUT_MAX_MB. */
  inputMaxBytes?: number;
};

/**
 * Returns the jobs that can be expanded and the problems of the others. `omitted` counts the problems over the limit of
 * each file. Throws a `ManifestError` when the manifest itself cannot be read, and a UsageError (`manifest-is-table`) when it is a
 * table in place of one.
 */
export async function inspectManifest(
  given: string,
  {
    selection = EVERYTHING,
    stdin,
    modelsFile,
    allowOutside = false,
    inputMaxBytes = INPUT_MAX_BYTES,
  }: InspectOptions = {},
): Promise<{ manifest: Manifest; problems: Problem[]; omitted: number }> {
  const stream = given === STDIN_ARGUMENT ? stdin : undefined;
  if (stream === undefined) await refuseTable(given);
  const file = stream === undefined ? given : STDIN;
  const reading = stream === undefined ? readText(file, MAX_MANIFEST_BYTES) : readTextOf(stream, MAX_MANIFEST_BYTES);
  const source = await reading.catch((error: unknown) => {
    if (!(error instanceof UnreadableFile)) throw error;
    const { line, message, hint } = error;
    const more = { ...(line === undefined ? {} : { line }), ...(hint === undefined ? {} : { hint }) };
    throw new ManifestError(file, [{ file, ...more, path: '', message }]);
  });
  const reach = reachOf(stream === undefined ? dirname(given) : '.', allowOutside);
  const models = await loadModels(modelsFile);
  const context = { set: selection.set, models, reach };
  const { parsed, problems, batch, omitted } = await gatherFiles({ file, ...source }, context);
  const jobs: Job[] = [];
  const tables = tablesInUse();
  const files = new Set<string>();
  for (const each of parsed) {
    files.add(each.file);
    const own = [...each.problems];
    for (const parsedJob of each.jobs) {
      const { job, columns, found } = await attachRows(parsedJob, each, reach);
      own.push(...found);
      tables.note(job, columns);
      if (job.rows && !job.rows.pictures) files.add(job.rows.path);
      if (parsedJob.isValid && found.length === 0) jobs.push({ ...job, index: jobs.length });
    }
    problems.push(...own.sort(byPosition));
  }
  const warnings = tables.unusedColumns();
  const pictures = ownPictures(reach, inputMaxBytes);
  const digest = digestOf(parsed);
  const manifest = { file, batch, digest, jobs, files: [...files], models, pictures, selection, warnings };
  return { manifest, problems, omitted };
}

/** A mistake in a file of rows. It is placed at its own line if that is known, else at the job that names the file. */
export function rowsProblem(job: Job, { line, message, hint }: RowMistake): Problem {
  const { shown = '', key = 'rows' } = job.rows ?? {};
  const place =
    line === undefined
      ? { file: job.file, ...job.positions.get(key), message: `${shown}: ${message}` }
      : { file: shown, line, message };
  return { ...place, path: formatPath(['jobs', job.number, key]), ...(hint === undefined ? {} : { hint }) };
}

async function attachRows(
  parsedJob: ParsedJob,
  { file, position }: Pick<ParsedManifest, 'file' | 'position'>,
  reach: Reach,
): Promise<{ job: Omit<Job, 'index'>; columns: readonly string[]; found: Problem[] }> {
  const rows = parsedJob.rows === undefined ? undefined : await rowsFile(file, parsedJob.rows, parsedJob);
  const refused = rows && (await reach(rows.pictures ? join(rows.path, rows.pictures.base) : rows.path));
  // A way out is told as it is written: where it leads to is another place on each machine.
  const shown = refused && parsedJob.rows ? { shown: parsedJob.rows.path } : {};
  const job = { ...parsedJob, rows: rows && { ...rows, ...shown } };
  const probe = rows === undefined ? { mistakes: [] } : await probeUnless(refused, rows);
  const { columns = [], mistakes } = probe;
  const found = mistakes.map((mistake) => rowsProblem({ ...job, index: 0 }, mistake));
  if (!parsedJob.variablesKnown || mistakes.length > 0) return { job, columns, found };
  const about = rows === undefined ? undefined : { columns: probe.columns, file: rows };
  const base = ['jobs', job.number];
  const misused = variableFindings(job, about, base);
  // A list that is not used: where nothing else is wrong, such as a typing mistake in the one place that does use it.
  const findings = misused.length > 0 || !parsedJob.isValid ? misused : unusedLists(job, base);
  for (const { path, at, message, hint } of findings) {
    found.push({
      file,
      ...position(path, at),
      path: formatPath(path),
      message,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  return { job, columns, found };
}

async function probeUnless(refused: Awaited<ReturnType<Reach>>, rows: RowsFile): ReturnType<typeof probeRows> {
  return refused === undefined ? probeRows(rows) : { mistakes: [{ kind: 'mistake', ...refused }] };
}

/** A relative path starts at the manifest's folder. */
async function rowsFile(
  manifestFile: string,
  { path: written, ...rest }: NonNullable<ParsedJob['rows']>,
  job: Pick<Job, 'id' | 'was' | 'parameters'>,
): Promise<RowsFile> {
  const path = await foundPath(isAbsolute(written) ? written : join(dirname(manifestFile), written));
  const used = templatesOf(job).flatMap(([, template]) => template.names);
  const names = [...new Set([...used, ...Object.keys(rest.wanted.where)])];
  if (rest.key === 'inputs') {
    const root = isAbsolute(written) ? '/' : dirname(manifestFile);
    return { ...rest, path: root, shown: path, format: 'pictures', pictures: picturePattern(written), names };
  }
  const format = rest.key === 'prompts' ? 'prompts' : (rowsFormatOf(written) ?? 'csv');
  return { ...rest, path, shown: path, format, names };
}

function digestOf(files: readonly { bytes: Uint8Array }[]): string {
  const digests = files.map(({ bytes }) => hash('sha256', bytes, 'hex'));
  const [only = ''] = digests;
  return digests.length === 1 ? only : hash('sha256', digests.join('\n'), 'hex');
}
