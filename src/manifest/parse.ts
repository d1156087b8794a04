import type { Models } from '../provider/models/sheet.ts';
import type { RowsFile } from '../tables/rows-file.ts';
import { checkMap, type SourceOf } from './check.ts';
import { builtInId, type Job, parametersOf } from './job.ts';
import { axesOf, withoutSet } from './matrix.ts';
import { listFindings } from './matrix-rules.ts';
import { type Finding, formatPath, type Problem } from './problems.ts';
import {
  duplicateIds,
  editingFindings,
  filesFindings,
  type JobDraft,
  REQUIRED,
  REQUIRED_OF_JOB,
  requiredKeys,
} from './rules.ts';
import {
  type Defaults,
  defaultsSchema,
  type JobText,
  jobSchema,
  kontextDefaultsSchema,
  kontextJobSchema,
  manifestSchema,
} from './schema.ts';
import { parseTemplate, type Variables } from './template.ts';
import { isOfKontext, wordFindings } from './words.ts';
import { parseYaml, type YamlText } from './yaml.ts';

/** A job whose file of rows is not resolved yet: `rows` has the path as written. */
export type ParsedJob = Omit<Job, 'rows' | 'index'> & {
  rows: Pick<RowsFile, 'key' | 'path' | 'sheet' | 'wanted'> | undefined;
  /**
   * False when `matrix`, `zip`, `rows`, `prompts` or `inputs` is invalid. Then the job's variables are unknown and are not
   * checked.
   */
  variablesKnown: boolean;
  /** No mistake has been found in it so far. */
  isValid: boolean;
};

export type ParsedManifest = {
  file: string;
  batch: string;
  /** Paths as written. */
  include: readonly string[];
  /**
   * The file's own defaults over the inherited ones, for the files that it includes. A broken key makes every job that
   * inherits it invalid.
   */
  defaults: { data: Defaults; broken: ReadonlySet<string> };
  jobs: ParsedJob[];
  problems: Problem[];
  omitted: number;
  position: YamlText['position'];
};

export const NOTHING_INHERITED: ParsedManifest['defaults'] = { data: {}, broken: new Set() };

type Context = { set: Variables; models: Models; inherited: ParsedManifest['defaults']; isIncluded: boolean };

/** Parses the text of one manifest file, and finds every mistake that shows without other files. */
export function parseManifest(
  text: string,
  file: string,
  { set, models, inherited, isIncluded }: Context,
): ParsedManifest {
  const yaml = parseYaml(text);
  if (yaml.errors.length > 0) {
    const problems = yaml.errors
      .slice(0, MAX_PROBLEMS)
      .map(({ position, ...rest }) => ({ file, ...position, path: '', ...rest }));
    return {
      file,
      batch: '',
      include: [],
      defaults: inherited,
      jobs: [],
      problems,
      omitted: yaml.errors.length - problems.length,
      position: yaml.position,
    };
  }
  const root = checkMap(manifestSchema, yaml.data, [], yaml.source);
  const own = checkDefaults(root.data?.defaults, inherited.data, root.data?.jobs ?? [], yaml.source);
  const defaults = { data: { ...inherited.data, ...own.data }, broken: union(inherited.broken, own.broken) };
  const drafts = (root.data?.jobs ?? []).map((value, index) =>
    checkMap(isOfKontext(value, defaults.data) ? kontextJobSchema : jobSchema, value, ['jobs', index], yaml.source),
  );
  const jobDrafts = drafts.map(({ data = {}, broken }, index): JobDraft => ({ index, text: data, broken }));
  const parsed = jobDrafts.map((draft) => parseJob(draft, defaults.data, { file, yaml, set, models }));
  const findings = [
    ...withoutRepeats(
      yaml.findings,
      [root, own, ...drafts].flatMap((level) => level.findings),
    ),
    ...(root.data === undefined ? [] : requiredKeys(root.data, root.broken, requiredOfFile(root.data, isIncluded), [])),
    ...drafts.flatMap(({ data, broken }, index) =>
      data === undefined
        ? []
        : requiredKeys({ ...defaults.data, ...data }, union(broken, defaults.broken), requiredOf(data, broken), [
            'jobs',
            index,
          ]),
    ),
    ...duplicateIds(jobDrafts),
    ...parsed.flatMap((job) => job.findings),
  ];
  const invalid = new Set(findings.map(({ path }) => (path[0] === 'jobs' ? path[1] : path[0])));
  const inheritsValid = defaults.broken.size === 0 && !invalid.has('defaults');
  return {
    file,
    batch: root.data?.batch ?? '',
    include: root.data?.include ?? [],
    defaults,
    jobs: parsed.map(({ job }) => ({ ...job, isValid: !invalid.has(job.number) && inheritsValid })),
    problems: findings.slice(0, MAX_PROBLEMS).map((finding) => toProblem(finding, file, yaml)),
    omitted: Math.max(0, findings.length - MAX_PROBLEMS),
    position: yaml.position,
  };
}

/** Nobody reads more. And finding the line of each of a million duplicate keys would take hours. */
const MAX_PROBLEMS = 200;

/** Reports a malformed template in the defaults once, not once per job. */
function checkDefaults(
  value: unknown,
  inherited: Defaults,
  jobs: readonly unknown[],
  source: SourceOf,
): { data: Defaults; broken: ReadonlySet<string>; findings: Finding[] } {
  if (value === undefined) return { data: {}, broken: new Set(), findings: [] };
  // Where a job has another provider, the defaults may have words that only that one knows.
  const isOfOthers = !isOfKontext(value, inherited) || jobs.some((job) => !isOfKontext(job, {}));
  const schema = isOfOthers ? defaultsSchema : kontextDefaultsSchema;
  const { data = {}, broken, findings } = checkMap(schema, value, ['defaults'], source);
  const { malformed } = parametersOf({}, data);
  const templates = malformed.map(({ name, message }): Finding => ({ path: ['defaults', name], message }));
  const unusable = new Set(malformed.map(({ name }) => name));
  return { data, broken: union(broken, unusable), findings: [...findings, ...templates] };
}

/** An included file needs no batch name. A file that includes others needs no jobs of its own. */
function requiredOfFile({ include }: { include?: unknown }, isIncluded: boolean): Readonly<Record<string, string>> {
  const { version, batch, jobs } = REQUIRED;
  return { version, ...(isIncluded ? {} : { batch }), ...(include === undefined ? { jobs } : {}) };
}

/** With a file of prompts, `id` and `prompt` may be left out; with pictures, `id`. */
function requiredOf({ prompts, inputs }: JobText, broken: ReadonlySet<string>): Readonly<Record<string, string>> {
  const { id, prompt } = REQUIRED_OF_JOB;
  if (prompts !== undefined || broken.has('prompts')) return {};
  return inputs !== undefined || broken.has('inputs') ? { prompt } : { id, prompt };
}

function parseJob(
  { index, text, broken }: JobDraft,
  defaults: Defaults,
  { file, yaml, set, models }: { file: string; yaml: YamlText; set: Variables; models: Models },
): { job: Omit<ParsedJob, 'isValid'>; findings: Finding[] } {
  const base = ['jobs', index];
  const { parameters, malformed } = parametersOf(text, defaults);
  const id = parseTemplate(text.id ?? builtInId(text));
  const was = text.was === undefined ? undefined : parseTemplate(text.was);
  const { matrix = {}, zip = {}, exclude = [] } = text;
  const variants = text.variants ?? defaults.variants ?? 1;
  const findings: Finding[] = [
    ...(typeof id === 'string' ? [{ path: [...base, 'id'], message: id }] : []),
    ...(typeof was === 'string' ? [{ path: [...base, 'was'], message: was }] : []),
    ...malformed
      .filter(({ name }) => text[name] !== undefined)
      .map(({ name, message }) => ({ path: [...base, name], message })),
    ...listFindings({ matrix, zip, exclude, variants }, base),
    ...filesFindings(text, parameters, base),
    ...(isOfKontext(text, defaults) ? editingFindings(parameters, base) : wordFindings(parameters, models, base)),
  ];
  const job = {
    file,
    number: index,
    id: typeof id === 'string' ? { texts: [''], names: [] } : id,
    was: typeof was === 'string' ? undefined : was,
    parameters,
    variables: [...Object.keys(matrix), ...Object.keys(zip)],
    zipped: Object.keys(zip),
    axes: withoutSet(axesOf(matrix, zip), set),
    exclude,
    set,
    ...rowsAsWritten(text),
    variants,
    priority: text.priority ?? defaults.priority ?? 0,
    embed: text.embed ?? defaults.embed,
    positions: new Map(
      ['', ...Object.keys(text)].map((key) => [key, yaml.position(key === '' ? base : [...base, key])] as const),
    ),
    variablesKnown: !['matrix', 'zip', 'rows', 'prompts', 'inputs'].some((key) => broken.has(key)),
  };
  return { job, findings };
}

function rowsAsWritten({ rows, prompts, inputs }: JobText): Pick<ParsedJob, 'rows'> {
  const everything = { where: {}, limit: Number.POSITIVE_INFINITY };
  if (inputs !== undefined) return { rows: { key: 'inputs', path: inputs, sheet: undefined, wanted: everything } };
  if (prompts !== undefined) return { rows: { key: 'prompts', path: prompts, sheet: undefined, wanted: everything } };
  if (rows === undefined) return { rows };
  if (typeof rows === 'string') return { rows: { key: 'rows', path: rows, sheet: undefined, wanted: everything } };
  const { file, sheet, where = {}, limit = Number.POSITIVE_INFINITY } = rows;
  const lists = Object.entries(where).map(([name, values]) => [name, [values].flat()] as const);
  return { rows: { key: 'rows', path: file, sheet, wanted: { where: Object.fromEntries(lists), limit } } };
}

/**
 * A value that the YAML check refuses also fails the schema: an alias, for example, is not text. It is reported once.
 */
function withoutRepeats(first: readonly Finding[], then: readonly Finding[]): Finding[] {
  const reported = new Set(first.filter(({ at }) => at !== 'key').map(({ path }) => formatPath(path)));
  return [...first, ...then.filter(({ path }) => !reported.has(formatPath(path)))];
}

function toProblem({ path, at, message, hint }: Finding, file: string, yaml: YamlText): Problem {
  const position = yaml.position(path, at);
  return { file, ...position, path: formatPath(path), message, ...(hint === undefined ? {} : { hint }) };
}

function union(a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...a, ...b]);
}
