import { PICTURE_VARIABLES } from '../tables/picture-files.ts';
import { PROMPT_VARIABLES } from '../tables/prompt-lines.ts';
import type { RowsFile } from '../tables/rows-file.ts';
import type { Axis } from './matrix.ts';
import type { Position } from './problems.ts';

import { PARAMETERS, type ParameterName } from './request-schema.ts';
import type { Defaults, JobText } from './schema.ts';
import { parseTemplate, type Template, type Variables } from './template.ts';

/**
 * A parameter of the request. Text is a template: it is rendered for each item, then converted to the parameter's type
 * (`coerce`). A number or boolean is sent as it is.
 */
export type Parameter = {
  name: ParameterName;
  /** Of `parameters` the name, of `inputImages` the number: the word has several values. */
  part?: string;
  value: Template | number | boolean;
  fromDefaults: boolean;
};

/** A job that can be expanded. All of it is valid, except for what only a row or a combination can show. */
export type Job = {
  /** 0-based, among all jobs, including those of included files. */
  index: number;
  /** The manifest's name in messages. */
  file: string;
  /** 0-based, within that file. */
  number: number;
  id: Template;
  /** What its items were called before. */
  was: Template | undefined;
  parameters: readonly Parameter[];
  /** The variables of its matrix and its zip. */
  variables: readonly string[];
  zipped: readonly string[];
  axes: readonly Axis[];
  exclude: readonly Variables[];
  /** From `--set`. Wins over the matrix and over rows. */
  set: Variables;
  rows: RowsFile | undefined;
  variants: number;
  priority: number;
  embed: boolean | undefined;
  /** By the job's keys in the manifest. The empty key has the position of the job itself. */
  positions: ReadonlyMap<string, Position>;
};

/** Prompt and id of a job that has a file of prompts and does not give them itself. */
const OF_PROMPTS = { prompt: `{{ ${PROMPT_VARIABLES.prompt} }}` };
/** Of a job that has pictures: they are what it edits, also where the defaults say something else. */
const OF_INPUTS = { inputImage: `{{ ${PICTURE_VARIABLES.file} }}` };

export function builtInId({ prompts, inputs }: JobText): string {
  if (prompts !== undefined) return `{{ ${PROMPT_VARIABLES.words} }}`;
  return inputs === undefined ? '' : `{{ ${PICTURE_VARIABLES.name} }}`;
}

/**
 * A job's own parameters win over the manifest's defaults. Malformed templates are
 * returned separately, with a message.
 */
export function parametersOf(
  written: JobText,
  defaults: Defaults,
): { parameters: Parameter[]; malformed: { name: ParameterName; message: string }[] } {
  const job = written.inputs === undefined || written.inputImages ? written : { ...OF_INPUTS, ...written };
  const builtIn: Defaults = job.prompts === undefined ? {} : OF_PROMPTS;
  const parameters: Parameter[] = [];
  const malformed: { name: ParameterName; message: string }[] = [];
  for (const name of PARAMETERS) {
    for (const { part, value, fromDefaults } of valuesOf(name, job, { ...builtIn, ...defaults })) {
      const parsed = typeof value === 'string' ? parseTemplate(value) : value;
      if (typeof parsed === 'string') malformed.push({ name, message: parsed });
      else parameters.push({ name, ...(part === undefined ? {} : { part }), value: parsed, fromDefaults });
    }
  }
  return { parameters, malformed };
}

type Written = { part?: string; value: string | number | boolean; fromDefaults: boolean };

/** A job's own `parameters` win one by one over those of the defaults, lists of images as a whole. */
function valuesOf(name: ParameterName, job: JobText, defaults: Defaults): Written[] {
  if (name === 'parameters') {
    const merged = Object.entries({ ...defaults.parameters, ...job.parameters });
    return merged.map(([part, value]) => ({
      part,
      value,
      fromDefaults: !Object.hasOwn(job.parameters ?? {}, part),
    }));
  }
  const fromDefaults = job[name] === undefined;
  if (name === 'inputImages') {
    const urls = job.inputImages ?? defaults.inputImages ?? [];
    return urls.map((value, index) => ({ part: String(index), value, fromDefaults }));
  }
  const value = job[name] ?? defaults[name];
  if (value === undefined) return [];
  // A list is one text, as a template or the column of a table has it.
  return [{ value: Array.isArray(value) ? value.join(', ') : value, fromDefaults }];
}

export function templatesOf(job: Pick<Job, 'id' | 'was' | 'parameters'>): [key: string, Template][] {
  const parameters = job.parameters.flatMap(({ name, value }): [string, Template][] =>
    typeof value === 'object' ? [[name, value]] : [],
  );
  return [['id', job.id], ...(job.was ? [['was', job.was] as [string, Template]] : []), ...parameters];
}

/**
 * Converts rendered text to the parameter's type. Text that cannot be converted is returned unchanged, and the request
 * schema refuses it.
 */
export function coerce(name: ParameterName, text: string): string | number | boolean {
  switch (name) {
    case 'safetyTolerance':
    case 'seed':
      return /^\s*-?\d{1,9}\s*$/.test(text) ? Number(text) : text;
    case 'enableTranslation':
    case 'promptUpsampling':
    case 'uploadCn':
      return text.trim() === 'true' ? true : text.trim() === 'false' ? false : text;
    default:
      return text;
  }
}
