import { PICTURE_VARIABLES } from '../tables/picture-files.ts';
import { ROW_NUMBER, type RowsFile } from '../tables/rows-file.ts';
import { suggest } from '../text/suggest.ts';
import { type Job, type Parameter, templatesOf } from './job.ts';
import { type Finding, type Path, quote } from './problems.ts';
import { EXPECTED_WHEN_EDITING, MAX_EDITING_TOLERANCE } from './request-schema.ts';
import type { JobText } from './schema.ts';
import { singleBraced, type Template } from './template.ts';

/** A job as far as it could be parsed. `broken` are the keys that could not. */
export type JobDraft = { index: number; text: JobText; broken: ReadonlySet<string> };

/** Required keys, each with a hint what to write. */
export const REQUIRED = {
  version: 'write version: 1',
  batch: 'a name for all of it, such as spring-catalog',
  jobs: 'a list of what to draw',
};
export const REQUIRED_OF_JOB = { id: 'a name for its images, such as hero', prompt: 'a text that says what to draw' };

/** Finds required keys that are missing. A broken key is reported elsewhere. */
export function requiredKeys(
  data: Readonly<Record<string, unknown>>,
  broken: ReadonlySet<string>,
  required: Readonly<Record<string, string>>,
  base: Path,
): Finding[] {
  return Object.entries(required)
    .filter(([key]) => data[key] === undefined && !broken.has(key))
    .map(([key, hint]) => ({ path: [...base, key], message: 'is required', hint }));
}

/** People find a job's images by its `id`, so two jobs must not share one. */
export function duplicateIds(drafts: readonly JobDraft[]): Finding[] {
  const firsts = new Map<string, number>();
  return drafts.flatMap(({ index, text: { id } }) => {
    if (id === undefined) return [];
    const first = firsts.get(id);
    if (first === undefined) {
      firsts.set(id, index);
      return [];
    }
    return [
      { path: ['jobs', index, 'id'], message: `${quote(id)} is the id of jobs[${first}] too`, hint: 'ids must differ' },
    ];
  });
}

/** Finds mistakes in the use of variables. `columns` is undefined for JSONL, where each row has its own variables. */
export function variableFindings(
  job: Pick<Job, 'id' | 'was' | 'parameters' | 'variables' | 'set' | 'zipped'>,
  rows: { columns: readonly string[] | undefined; file: RowsFile } | undefined,
  base: Path,
): Finding[] {
  const columns = rows?.columns ?? [];
  const number = rows === undefined || rows.file.key !== 'rows' ? [] : [ROW_NUMBER];
  const known = [...new Set([...job.variables, ...columns, ...Object.keys(job.set)])];
  const listOf = (name: string) => (job.zipped.includes(name) ? 'zip' : 'matrix');
  const both = job.variables
    .filter((name) => columns.includes(name))
    .map(
      (name): Finding => ({
        path: [...base, listOf(name), name],
        at: 'key',
        message: `is a column of ${rows?.file.shown} too`,
      }),
    );
  const complete = rows === undefined || rows.columns !== undefined;
  const used = templatesOf(job).flatMap(([key, template]) => [
    ...(complete ? unknownNames(template, known, number, [...base, key]) : []),
    ...singleBraced(template, known).map((name) => ({
      path: [...base, key],
      message: `{${name}} in single braces would be drawn as it stands`,
      hint: `write {{ ${name} }}`,
    })),
  ]);
  return [...both, ...used, ...(rows === undefined ? [] : whereFindings(rows, columns, base))];
}

/** The values of a list that nothing uses would all draw the same: they would be paid for, or merged in silence. */
export function unusedLists(
  job: Pick<Job, 'id' | 'was' | 'parameters' | 'variables' | 'zipped' | 'axes'>,
  base: Path,
): Finding[] {
  const used = new Set(templatesOf(job).flatMap(([, { names }]) => names));
  const varies = (name: string) => job.axes.some((axis) => axis.length > 1 && Object.hasOwn(axis[0] ?? {}, name));
  return job.variables
    .filter((name) => varies(name) && !used.has(name))
    .map((name) => ({
      path: [...base, job.zipped.includes(name) ? 'zip' : 'matrix', name],
      at: 'key',
      message: `nothing in this job uses {{ ${name} }}: its values would all draw the same`,
      hint: `put {{ ${name} }} into the prompt or the id, or leave it out; for more images of one prompt write variants: 3`,
    }));
}

/** A job has one file of rows, or of prompts, or pictures. And it must use what it is given. */
export function filesFindings(text: JobText, parameters: readonly Parameter[], base: Path): Finding[] {
  const { prompts, rows, inputs } = text;
  if (inputs !== undefined) return inputsFindings(text, parameters, base);
  if (prompts === undefined) return [];
  if (rows !== undefined) return [{ path: [...base, 'rows'], at: 'key', message: 'not together with prompts' }];
  const isUsed = parameters.some(({ value }) => typeof value === 'object' && value.names.length > 0);
  if (isUsed) return [];
  const message = 'nothing in this job uses {{ prompt }}: each line would draw the same';
  return [{ path: [...base, 'prompts'], message, hint: 'leave out the prompt, or put {{ prompt }} into it' }];
}

function inputsFindings({ prompts, rows }: JobText, parameters: readonly Parameter[], base: Path): Finding[] {
  const other = prompts !== undefined ? 'prompts' : 'rows';
  if (prompts !== undefined || rows !== undefined)
    return [{ path: [...base, other], at: 'key', message: 'not together with inputs' }];
  const isUsed = parameters.some(({ name, value }) => /^inputImages?$/.test(name) && usesPictures(value));
  if (isUsed) return [];
  const message = 'nothing in this job uses {{ file }}: no picture would be edited';
  return [{ path: [...base, 'inputs'], message, hint: 'leave out inputImage, or put {{ file }} into it' }];
}

/** Its path, or a path that is made of its name. */
function usesPictures(value: Parameter['value']): boolean {
  return typeof value === 'object' && value.names.some((name) => Object.hasOwn(PICTURE_VARIABLES, name));
}

/** `safetyTolerance` has a narrower range when editing. A template is checked when it is filled in. */
export function editingFindings(parameters: readonly Parameter[], base: Path): Finding[] {
  const tolerance = parameters.find(({ name }) => name === 'safetyTolerance');
  const edits = parameters.some(({ name }) => name === 'inputImage');
  if (!edits || typeof tolerance?.value !== 'number' || tolerance.value <= MAX_EDITING_TOLERANCE) return [];
  const message = `${EXPECTED_WHEN_EDITING}, got ${tolerance.value}`;
  const hint = tolerance.fromDefaults ? 'it comes from defaults: give this job one of its own' : undefined;
  return [{ path: [...base, 'safetyTolerance'], message, ...(hint === undefined ? {} : { hint }) }];
}

function whereFindings(
  { columns, file }: { columns: readonly string[] | undefined; file: RowsFile },
  known: readonly string[],
  base: Path,
): Finding[] {
  if (columns === undefined) return [];
  return Object.keys(file.wanted.where)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const near = suggest(name, known);
      const hint = near === undefined ? `known here: ${known.join(', ')}` : `did you mean ${near}?`;
      return { path: [...base, 'rows', 'where', name], at: 'key', message: `no such column in ${file.shown}`, hint };
    });
}

function unknownNames(template: Template, known: readonly string[], also: readonly string[], path: Path): Finding[] {
  return [...new Set(template.names)]
    .filter((name) => !known.includes(name) && !also.includes(name))
    .map((name) => {
      const near = suggest(name, known);
      const list = known.length === 0 ? 'this job has neither matrix nor rows' : `known here: ${known.join(', ')}`;
      return { path, message: `no variable ${quote(name)}`, hint: near === undefined ? list : `did you mean ${near}?` };
    });
}
