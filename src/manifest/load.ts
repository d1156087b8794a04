import { hash } from 'node:crypto';
import { dirname, isAbsolute, join } from 'node:path';
import { gatherFiles, MAX_MANIFEST_BYTES } from './include.ts';
import type { Job, RowsFile } from './job.ts';
import type { ParsedJob, ParsedManifest } from './parse.ts';
import { byPosition, formatPath, ManifestError, type Problem } from './problems.ts';
import { readText, readTextOf, UnreadableFile } from './read.ts';
import type { RowMistake } from './row.ts';
import { probeRows } from './rows.ts';
import { variableFindings } from './rules.ts';
import { EVERYTHING, type Selection } from './selection.ts';

/** What stands for a manifest on stdin: on the command line, and in messages. */
const STDIN_ARGUMENT = '-';
export const STDIN = '<stdin>';

/** A manifest that is right as far as the file itself and the headers of its rows tell. */
export type Manifest = {
  /** As it was given, or `<stdin>`. */
  file: string;
  batch: string;
  /** Of the bytes of the file and those that it includes, sha256 in hex. Rows are not part of it. */
  digest: string;
  jobs: readonly Job[];
  /** What of it is meant. */
  selection: Selection;
};

/** The jobs that can be expanded, and what is wrong with the others; `omitted` counts what is not told of a hopeless file. */
export async function inspectManifest(
  given: string,
  selection: Selection = EVERYTHING,
  stdin?: AsyncIterable<Uint8Array>,
): Promise<{ manifest: Manifest; problems: Problem[]; omitted: number }> {
  const stream = given === STDIN_ARGUMENT ? stdin : undefined;
  const file = stream === undefined ? given : STDIN;
  const reading = stream === undefined ? readText(file, MAX_MANIFEST_BYTES) : readTextOf(stream, MAX_MANIFEST_BYTES);
  const source = await reading.catch((error: unknown) => {
    if (!(error instanceof UnreadableFile)) throw error;
    const line = error.line === undefined ? {} : { line: error.line };
    throw new ManifestError(file, [{ file, ...line, path: '', message: error.message }]);
  });
  const { parsed, problems, batch, omitted } = await gatherFiles({ file, ...source }, selection.set);
  const jobs: Job[] = [];
  for (const each of parsed) {
    const own = [...each.problems];
    for (const parsedJob of each.jobs) {
      const { job, found } = await attachRows(parsedJob, each);
      own.push(...found);
      if (parsedJob.sound && found.length === 0) jobs.push({ ...job, index: jobs.length });
    }
    problems.push(...own.sort(byPosition));
  }
  return { manifest: { file, batch, digest: digestOf(parsed), jobs, selection }, problems, omitted };
}

/** A mistake in a file of rows: in its own line where there is one, else at the job that names the file. */
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
): Promise<{ job: Omit<Job, 'index'>; found: Problem[] }> {
  const rows = parsedJob.rows === undefined ? undefined : rowsFile(file, parsedJob.rows);
  const job = { ...parsedJob, rows };
  const { columns, mistakes } = rows === undefined ? { columns: [], mistakes: [] } : await probeRows(rows);
  const found = mistakes.map((mistake) => rowsProblem({ ...job, index: 0 }, mistake));
  if (!parsedJob.variablesKnown || mistakes.length > 0) return { job, found };
  const about = rows === undefined ? undefined : { columns, shown: rows.shown };
  for (const { path, at, message, hint } of variableFindings(job, about, ['jobs', job.number])) {
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

function digestOf(files: readonly { bytes: Uint8Array }[]): string {
  const digests = files.map(({ bytes }) => hash('sha256', bytes, 'hex'));
  const [only = ''] = digests;
  return digests.length === 1 ? only : hash('sha256', digests.join('\n'), 'hex');
}
