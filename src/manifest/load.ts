import { hash } from 'node:crypto';
import { dirname, isAbsolute, join } from 'node:path';
import type { Job, RowsFile } from './job.ts';
import { type ParsedJob, type ParsedManifest, parseManifest } from './parse.ts';
import { byPosition, formatPath, ManifestError, type Problem } from './problems.ts';
import { readText, readTextOf, UnreadableFile } from './read.ts';
import type { RowMistake } from './row.ts';
import { probeRows } from './rows.ts';
import { variableFindings } from './rules.ts';
import { EVERYTHING, type Selection } from './selection.ts';

/** Parsing takes about 50 times the size of a manifest in memory; a hundred thousand images are a file of rows. */
const MAX_MANIFEST_BYTES = 4 * 2 ** 20;

/** What stands for a manifest on stdin: on the command line, and in messages. */
const STDIN_ARGUMENT = '-';
export const STDIN = '<stdin>';

/** A manifest that is right as far as the file itself and the headers of its rows tell. */
export type Manifest = {
  /** As it was given, or `<stdin>`. */
  file: string;
  batch: string;
  /** Of the file's bytes, sha256 in hex. Its rows are not part of it. */
  digest: string;
  jobs: readonly Job[];
  /** What of it is meant. */
  selection: Selection;
};

/** The jobs that can be expanded, and what is wrong with the others; `omitted` counts what is not told of a hopeless file. */
export async function inspectManifest(
  given: string,
  selection: Selection = EVERYTHING,
): Promise<{ manifest: Manifest; problems: Problem[]; omitted: number }> {
  const isStdin = given === STDIN_ARGUMENT;
  const file = isStdin ? STDIN : given;
  const reading = isStdin ? readTextOf(process.stdin, MAX_MANIFEST_BYTES) : readText(file, MAX_MANIFEST_BYTES);
  const { bytes, text } = await reading.catch((error: unknown) => {
    if (!(error instanceof UnreadableFile)) throw error;
    const line = error.line === undefined ? {} : { line: error.line };
    throw new ManifestError(file, [{ file, ...line, path: '', message: error.message }]);
  });
  const parsed = parseManifest(text, file, selection.set);
  const jobs: Job[] = [];
  const problems = [...parsed.problems];
  for (const parsedJob of parsed.jobs) {
    const { job, found } = await attachRows(parsedJob, file, parsed);
    problems.push(...found);
    if (parsedJob.sound && found.length === 0) jobs.push(job);
  }
  const manifest = { file, batch: parsed.batch, digest: hash('sha256', bytes, 'hex'), jobs, selection };
  return { manifest, problems: problems.sort(byPosition), omitted: parsed.omitted };
}

/** A mistake in a file of rows: in its own line where there is one, else at the job that names the file. */
export function rowsProblem(manifestFile: string, job: Job, { line, message, hint }: RowMistake): Problem {
  const { shown = '', key = 'rows' } = job.rows ?? {};
  const place =
    line === undefined
      ? { file: manifestFile, ...job.positions.get(key), message: `${shown}: ${message}` }
      : { file: shown, line, message };
  return { ...place, path: formatPath(['jobs', job.index, key]), ...(hint === undefined ? {} : { hint }) };
}

async function attachRows(
  parsedJob: ParsedJob,
  file: string,
  { position }: ParsedManifest,
): Promise<{ job: Job; found: Problem[] }> {
  const rows = parsedJob.rows === undefined ? undefined : rowsFile(file, parsedJob.rows);
  const job = { ...parsedJob, rows };
  const { columns, mistakes } = rows === undefined ? { columns: [], mistakes: [] } : await probeRows(rows);
  const found = mistakes.map((mistake) => rowsProblem(file, job, mistake));
  if (!parsedJob.variablesKnown || mistakes.length > 0) return { job, found };
  const about = rows === undefined ? undefined : { columns, shown: rows.shown };
  for (const { path, at, message, hint } of variableFindings(job, about, ['jobs', job.index])) {
    found.push({
      file,
      ...position(path, at),
      path: formatPath(path),
      message,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  return { job, found };
}

/** Rows are named relative to the manifest, and shown relative to where the manifest was named from. */
function rowsFile(manifestFile: string, { key, path: written }: Pick<RowsFile, 'key' | 'path'>): RowsFile {
  const path = isAbsolute(written) ? written : join(dirname(manifestFile), written);
  const format = key === 'prompts' ? 'prompts' : /\.csv$/i.test(written) ? 'csv' : 'jsonl';
  return { key, path, shown: path, format };
}
