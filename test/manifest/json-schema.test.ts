import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { ErrorObject } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { z } from 'zod';
import { manifestJsonSchema } from '../../src/manifest/json-schema.ts';
import { openManifest } from '../../src/manifest/manifest.ts';
import { formatPath, ManifestError } from '../../src/manifest/problems.ts';
import { defaultsSchema, jobSchema, manifestSchema } from '../../src/manifest/schema.ts';
import { STARTER } from '../../src/starters/starter.ts';
import { written } from './written.ts';

const validate = new Ajv2020({ allErrors: true, strict: true, strictTypes: false, strictRequired: false }).compile(
  manifestJsonSchema(),
);

type Reason = 'unknown key' | 'required' | 'type' | 'enum' | 'range' | 'pattern' | 'exclusive' | 'other';
type Complaint = `${string}: ${Reason}`;

describe('the JSON Schema of manifests', () => {
  it('is the one that is shipped', async () => {
    const shipped: unknown = JSON.parse(await readFile('manifest.schema.json', 'utf8'));
    expect(shipped, 'npm run build && node dist/bin/flux-batch.js schema > manifest.schema.json').toEqual(
      manifestJsonSchema(),
    );
  });

  it('accepts every manifest that we ship', async () => {
    const examples = (await readdir('examples')).filter((file) => extname(file) === '.yaml');
    expect(schemaComplaints(STARTER)).toEqual([]);
    for (const file of ['jobs.example.yaml', ...examples.map((name) => join('examples', name))]) {
      expect(schemaComplaints(await readFile(file, 'utf8')), file).toEqual([]);
      await openManifest(file);
    }
  });

  it('has a line of help for every key', () => {
    const keys = (schema: z.ZodObject) => Object.entries(schema.shape);
    const described = JSON.stringify(manifestJsonSchema());
    for (const [key] of [...keys(manifestSchema), ...keys(defaultsSchema), ...keys(jobSchema)]) {
      expect(described, key).toMatch(new RegExp(`"${key}":{"description":"[^"]{5,}`));
    }
  });
});

const head = 'version: 1\nbatch: b\n';
const job = 'jobs:\n  - id: a\n    prompt: A teapot\n';

const BROKEN: [name: string, text: string, complaint: Complaint, ...more: Complaint[]][] = [
  ['an empty file', '', ': type'],
  ['nothing but a version', 'version: 1\n', 'batch: required', 'jobs: required'],
  ['no version', `batch: b\n${job}`, 'version: required'],
  ['version 2', `version: 2\nbatch: b\n${job}`, 'version: enum'],
  ['a batch name with capitals', `version: 1\nbatch: Spring\n${job}`, 'batch: pattern'],
  ['a batch name that is a number', `version: 1\nbatch: 2025\n${job}`, 'batch: type'],
  ['an unknown key at the top', `${head}${job}job: []\n`, 'job: unknown key'],
  ['an unknown key in a job', `${head}${job}    aspect_ratio: "4:3"\n`, 'jobs[0].aspect_ratio: unknown key'],
  ['an unknown key in the defaults', `${head}defaults: { id: x }\n${job}`, 'defaults.id: unknown key'],
  ['no jobs', `${head}jobs: []\n`, 'jobs: range'],
  ['jobs that are a map', `${head}jobs: { id: a }\n`, 'jobs: type'],
  ['a job that is a text', `${head}jobs: [A teapot]\n`, 'jobs[0]: type'],
  ['no prompt', `${head}jobs: [{ id: a }]\n`, 'jobs[0].prompt: required'],
  ['no id, where the defaults have the prompt', `${head}defaults: { prompt: x }\njobs: [{}]\n`, 'jobs[0].id: required'],
  ['a blank prompt', `${head}jobs: [{ id: a, prompt: "  " }]\n`, 'jobs[0].prompt: range'],
  ['a number for a text', `${head}jobs: [{ id: a, prompt: 5 }]\n`, 'jobs[0].prompt: type'],
  ['a model that there is not', `${head}${job}    model: flux-dev\n`, 'jobs[0].model: enum'],
  ['a ratio that there is not', `${head}${job}    aspectRatio: "5:4"\n`, 'jobs[0].aspectRatio: enum'],
  ['a format that there is not', `${head}defaults: { outputFormat: gif }\n${job}`, 'defaults.outputFormat: enum'],
  ['no variant', `${head}${job}    variants: 0\n`, 'jobs[0].variants: range'],
  ['too many variants', `${head}${job}    variants: 101\n`, 'jobs[0].variants: range'],
  ['safetyTolerance 9', `${head}${job}    safetyTolerance: 9\n`, 'jobs[0].safetyTolerance: range'],
  ['a word for a tolerance', `${head}${job}    safetyTolerance: high\n`, 'jobs[0].safetyTolerance: type'],
  ['a priority below 0', `${head}${job}    priority: -1\n`, 'jobs[0].priority: range'],
  ['half a priority', `${head}${job}    priority: 1.5\n`, 'jobs[0].priority: type'],
  ['a text for a truth value', `${head}${job}    uploadCn: "no"\n`, 'jobs[0].uploadCn: type'],
  ['a key without its value', `${head}${job}    watermark:\n`, 'jobs[0].watermark: type'],
  ['an input image of another format', `${head}${job}    inputImage: ./room.gif\n`, 'jobs[0].inputImage: pattern'],
  ['rows in a document', `${head}${job}    rows: a.odt\n`, 'jobs[0].rows: pattern'],
  ['a matrix that is a list', `${head}${job}    matrix: [red]\n`, 'jobs[0].matrix: type'],
  ['a matrix of no lists', `${head}${job}    matrix: { color: red }\n`, 'jobs[0].matrix.color: type'],
  ['a matrix with an empty list', `${head}${job}    matrix: { color: [] }\n`, 'jobs[0].matrix.color: range'],
  ['an empty exclusion', `${head}${job}    matrix: { c: [x] }\n    exclude: [{}]\n`, 'jobs[0].exclude[0]: range'],
  ['a zip of no lists', `${head}${job}    zip: { color: red }\n`, 'jobs[0].zip.color: type'],
  ['prompts in a spreadsheet', `${head}${job}    prompts: a.csv\n`, 'jobs[0].prompts: pattern'],
  ['rows beside prompts', `${head}jobs: [{ prompts: a.txt, rows: a.csv }]\n`, 'jobs[0].rows: exclusive'],
  ['a matrix with a gap', `${head}${job}    matrix: { color: [red, ~] }\n`, 'jobs[0].matrix.color[1]: type'],
];

describe('a broken manifest', () => {
  it.each(BROKEN)(
    'with %s is refused by schema and loader, in the same place and for the same reason',
    async (...row) => {
      const [, text, ...complaints] = row;
      expect(schemaComplaints(text).sort()).toEqual(complaints.sort());
      expect((await loaderComplaints(text)).sort()).toEqual(complaints);
    },
  );

  /** What needs a second look at the file, at others, or at filled in templates. */
  it.each([
    ['an id twice', `${head}jobs: [{ id: a, prompt: x }, { id: a, prompt: y }]\n`, 'jobs[1].id'],
    ['a variable that is not there', `${head}jobs: [{ id: a, prompt: "{{ x }}" }]\n`, 'jobs[0].prompt'],
    ['a template that never ends', `${head}jobs: [{ id: a, prompt: "{{ x" }]\n`, 'jobs[0].prompt'],
    [
      'too high a tolerance for an edit',
      `${head}${job}    inputImage: https://example.com/a.jpg\n    safetyTolerance: 3\n`,
      'jobs[0].safetyTolerance',
    ],
    [
      'a filled in value that is wrong',
      `${head}${job}    aspectRatio: "{{ r }}"\n    matrix: { r: ["5:4"] }\n`,
      'jobs[0].aspectRatio',
    ],
    ['a value twice in a matrix', `${head}${job}    matrix: { c: [x, x] }\n`, 'jobs[0].matrix.c[1]'],
    [
      'an exclusion of nothing',
      `${head}${job}    matrix: { c: [x] }\n    exclude: [{ c: y }]\n`,
      'jobs[0].exclude[0].c',
    ],
    ['a zip of unequal lists', `${head}${job}    zip: { a: [1], b: [1, 2] }\n`, 'jobs[0].zip.b'],
    ['rows that are not there', `${head}${job}    rows: a.csv\n`, 'jobs[0].rows'],
    ['a URL that is none', `${head}${job}    inputImage: "https://"\n`, 'jobs[0].inputImage'],
  ])('with %s is refused by the loader alone', async (_, text, path) => {
    expect(schemaComplaints(text)).toEqual([]);
    expect((await problemsOf(text)).map((problem) => problem.path)).toEqual([path]);
  });
});

function schemaComplaints(text: string): string[] {
  // As an editor reads it: plain YAML, which knows nothing of ours.
  if (validate(parse(text))) return [];
  const errors = (validate.errors ?? []).filter(
    // Of "a template or a value", and "a map or a path", the latter is what is told of; an `if` tells what its branches did.
    ({ keyword, schemaPath }) =>
      keyword !== 'anyOf' && keyword !== 'if' && !/^#\/\$defs\/(template|table)\//.test(schemaPath),
  );
  return [...new Set(errors.map((error) => `${pathOf(error)}: ${REASONS[error.keyword]?.(error) ?? 'other'}`))];
}

const REASONS: Record<string, (error: ErrorObject) => Reason> = {
  additionalProperties: () => 'unknown key',
  required: () => 'required',
  type: () => 'type',
  enum: () => 'enum',
  const: () => 'enum',
  minimum: () => 'range',
  maximum: () => 'range',
  minLength: () => 'range',
  maxLength: () => 'range',
  minItems: () => 'range',
  minProperties: () => 'range',
  pattern: ({ params }) => (params.pattern === '\\S' ? 'range' : 'pattern'),
  'false schema': () => 'exclusive',
};

function pathOf({ instancePath, params }: ErrorObject): string {
  const steps = instancePath.split('/').slice(1);
  const key: unknown = params.additionalProperty ?? params.missingProperty;
  return formatPath(
    [...steps, ...(typeof key === 'string' ? [key] : [])].map((step) => (/^\d+$/.test(step) ? Number(step) : step)),
  );
}

async function loaderComplaints(text: string): Promise<string[]> {
  return (await problemsOf(text)).map(({ path, message }) => `${path}: ${reasonOf(message)}`);
}

async function problemsOf(text: string) {
  const folder = await written({ 'jobs.yaml': text, 'a.txt': 'A teapot' });
  const error = await openManifest(join(folder, 'jobs.yaml')).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof ManifestError ? error.problems : [];
}

function reasonOf(message: string): Reason {
  if (message === 'unknown key') return 'unknown key';
  if (message === 'is required') return 'required';
  if (/^expected (at most 63 of|an http|the path of)/.test(message)) return 'pattern';
  if (/^expected (text that is not empty|at least|at most|-?\d+ or more)/.test(message)) return 'range';
  if (/^expected (text|a map|a list|a number|a whole number|true or false),/.test(message)) return 'type';
  if (/^expected (one of|\d+, got)/.test(message)) return 'enum';
  if (/^not together with/.test(message)) return 'exclusive';
  return 'other';
}
