import type { Axis } from './matrix.ts';
import type { Position } from './problems.ts';
import { PROMPT_VARIABLES } from './prompt-lines.ts';
import { type Defaults, type JobText, PARAMETERS, type ParameterName } from './schema.ts';
import { parseTemplate, type Template, type Variables } from './template.ts';

/** A file of rows, by where it is and by how a person refers to it; `key` is the job's key that names it. */
export type RowsFile = {
  key: 'rows' | 'prompts';
  path: string;
  shown: string;
  format: 'csv' | 'jsonl' | 'prompts';
};

/** A parameter that needs no rendering has `fixed`; the others are told by the type that their text must turn into. */
export type Parameter = { name: ParameterName; value: Template | number | boolean; fromDefaults: boolean };

/** A job that can be expanded: everything in it is valid but for what only a row or a combination can tell. */
export type Job = {
  /** Its place among all jobs, those of included files too. */
  index: number;
  /** As it is shown to people. */
  file: string;
  /** Its place in that file. */
  number: number;
  id: Template;
  parameters: readonly Parameter[];
  /** Those that the job itself gives values to. */
  variables: readonly string[];
  zipped: readonly string[];
  axes: readonly Axis[];
  exclude: readonly Variables[];
  /** By the command line; wins over rows. */
  set: Variables;
  rows: RowsFile | undefined;
  variants: number;
  priority: number;
  embed: boolean | undefined;
  /** Of its own keys in the manifest, and of the job itself under the empty key. */
  positions: ReadonlyMap<string, Position>;
};

/** Explicit in every request: the price hangs on one, the file's name on the other. */
const BUILT_IN: Defaults = { model: 'flux-kontext-pro', outputFormat: 'jpeg' };

/** What a job takes of a file of prompts when it says nothing else. */
const OF_PROMPTS = { prompt: `{{ ${PROMPT_VARIABLES.prompt} }}` };
export const ID_OF_PROMPTS = `{{ ${PROMPT_VARIABLES.words} }}`;

/** The job's own parameters over the manifest's defaults over ours; malformed templates come back as their mistake. */
export function parametersOf(
  job: JobText,
  defaults: Defaults,
): { parameters: Parameter[]; malformed: { name: ParameterName; message: string }[] } {
  const builtIn: Defaults = job.prompts === undefined ? BUILT_IN : { ...BUILT_IN, ...OF_PROMPTS };
  const parameters: Parameter[] = [];
  const malformed: { name: ParameterName; message: string }[] = [];
  for (const name of PARAMETERS) {
    const fromDefaults = job[name] === undefined;
    const value = job[name] ?? defaults[name] ?? builtIn[name];
    if (value === undefined) continue;
    const parsed = typeof value === 'string' ? parseTemplate(value) : value;
    if (typeof parsed === 'string') malformed.push({ name, message: parsed });
    else parameters.push({ name, value: parsed, fromDefaults });
  }
  return { parameters, malformed };
}

export function templatesOf(job: Pick<Job, 'id' | 'parameters'>): [key: string, Template][] {
  const parameters = job.parameters.flatMap(({ name, value }): [string, Template][] =>
    typeof value === 'object' ? [[name, value]] : [],
  );
  return [['id', job.id], ...parameters];
}

/** Text that came out of a template, as what the parameter takes; left alone when it is not that. */
export function coerce(name: ParameterName, text: string): string | number | boolean {
  switch (name) {
    case 'safetyTolerance':
      return /^\s*-?\d{1,9}\s*$/.test(text) ? Number(text) : text;
    case 'enableTranslation':
    case 'promptUpsampling':
    case 'uploadCn':
      return text.trim() === 'true' ? true : text.trim() === 'false' ? false : text;
    default:
      return text;
  }
}
