import { z } from 'zod';
import { imageRequestSchema } from '../items/item.ts';
import { ROWS_ENDINGS, rowsFormatOf } from '../tables/rows-file.ts';
import { controlCharacterIn } from '../text/control-characters.ts';
import { TEMPLATE, VARIABLE_NAME } from './template.ts';

const MAX_PROMPT = 10_000;
const MAX_NAME = 200;
const MAX_URL = 2_048;
/** For the JSON Schema only (`json-schema.ts`): it means there what `trim().min(1)` means for zod. */
const NOT_BLANK = { pattern: '\\S' };
/** In editing mode the API answers a larger value with code 500, which looks like an internal error. */
export const MAX_EDITING_TOLERANCE = 2;
export const EXPECTED_WHEN_EDITING = `expected 0 to ${MAX_EDITING_TOLERANCE} when editing (inputImage is given)`;

/** At the one place that all text comes through, from wherever it was: YAML, a table, a line, --set. */
const drawable = z.check<string>(({ value, issues }) => {
  const found = controlCharacterIn(value);
  if (found === undefined) return;
  issues.push({
    code: 'custom',
    input: value,
    message: `expected text without control characters, ${found.name} is in it`,
  });
});

/** A request after its templates are filled in. Stricter than the check in the API's client. */
export const requestSchema = imageRequestSchema
  .extend({
    prompt: z.string().trim().min(1).max(MAX_PROMPT).check(drawable).meta(NOT_BLANK),
    inputImage: z
      .string()
      .max(MAX_URL)
      .refine(isWebAddress, 'expected an http(s) URL that the provider can reach')
      .check(drawable)
      .meta({ pattern: '^[hH][tT][tT][pP][sS]?://' })
      .exactOptional(),
    watermark: z.string().max(MAX_PROMPT).check(drawable).exactOptional(),
  })
  .check(({ value, issues }) => {
    const { inputImage, safetyTolerance: input } = value;
    if (inputImage === undefined || input === undefined || input <= MAX_EDITING_TOLERANCE) return;
    issues.push({ code: 'custom', path: ['safetyTolerance'], input, message: EXPECTED_WHEN_EDITING });
  });

/** A job's rendered `id`. */
export const nameSchema = z.string().trim().min(1).max(MAX_NAME).check(drawable).meta(NOT_BLANK);

/** All parameters of the API, in the order of a request. */
export const PARAMETERS = requestSchema.keyof().options;
export type ParameterName = (typeof PARAMETERS)[number];

export function isParameter(name: unknown): name is ParameterName {
  return PARAMETERS.some((parameter) => parameter === name);
}

/** Text with `{{ … }}` is checked when it is filled in. Any other value is checked at once. */
const template = z
  .string()
  .regex(TEMPLATE, { abort: true })
  .meta({ id: 'template', description: 'Text with {{ variables }}, checked when they are filled in.' });

function orTemplate<S extends z.ZodType>(value: S, description: string) {
  return z.union([template, value]).exactOptional().meta({ description });
}

const { shape } = requestSchema;
const common = {
  prompt: orTemplate(shape.prompt, 'What to draw.'),
  model: orTemplate(shape.model, 'flux-kontext-pro (default), or flux-kontext-max: stronger and dearer.'),
  outputFormat: orTemplate(shape.outputFormat, 'jpeg (default) or png.'),
  aspectRatio: orTemplate(
    shape.aspectRatio.unwrap(),
    'Width to height. Without one the API decides; an edited image keeps its own. 16:21 is offered by some resellers only.',
  ),
  inputImage: orTemplate(
    shape.inputImage.unwrap(),
    'The image to edit: an http(s) URL that the provider can reach. safetyTolerance is then 2 at most.',
  ),
  enableTranslation: orTemplate(
    shape.enableTranslation.unwrap(),
    'Whether the provider translates the prompt to English (its default is true).',
  ),
  promptUpsampling: orTemplate(shape.promptUpsampling.unwrap(), 'Let the provider enrich the prompt.'),
  safetyTolerance: orTemplate(
    shape.safetyTolerance.unwrap(),
    'From 0, the strictest, to 6, the most lenient; 2 at most when editing.',
  ),
  uploadCn: orTemplate(shape.uploadCn.unwrap(), 'Upload by way of servers in China.'),
  watermark: orTemplate(shape.watermark.unwrap(), 'A text that the provider draws into the image.'),
  variants: z
    .int()
    .min(1)
    .max(100)
    .exactOptional()
    .meta({ description: 'So many images of each combination and row.' }),
  /** BullMQ stores a priority in 21 bits. */
  priority: z
    .int()
    .min(0)
    .max(2_000_000)
    .exactOptional()
    .meta({ description: '1 goes first, larger numbers later; 0, when nothing is said, goes before them all.' }),
  embed: z.boolean().exactOptional().meta({
    description:
      'Write prompt, model and ids into the image itself, pixels untouched. What is said here wins over --embed.',
  }),
};

export const defaultsSchema = z.strictObject(common);
export type Defaults = z.infer<typeof defaultsSchema>;

/** Values of a matrix are read as text, as written. An editor sees numbers and booleans there. */
const asWritten = z.string().meta({ type: ['string', 'number', 'boolean'] });
/** The pattern is for editors. The loader's check is `listFindings`. */
const variableName = z.string().meta({ pattern: VARIABLE_NAME.source });

const rowsPath = z
  .string()
  .refine(
    (path) => rowsFormatOf(path) !== undefined,
    'expected the path of a .csv, .tsv, .xlsx, .json, .jsonl or .ndjson file',
  )
  .meta({ pattern: `\\.(${ROWS_ENDINGS.map(anyCase).join('|')})$` });

const rowsMap = z
  .strictObject({
    file: rowsPath,
    sheet: z
      .string()
      .min(1)
      .exactOptional()
      .meta({ description: 'Of a workbook: the name of a sheet; else the first.' }),
    where: z
      .record(z.string().min(1), z.union([z.array(asWritten).min(1), asWritten]))
      .refine((columns) => Object.keys(columns).length > 0, 'expected at least one column')
      .exactOptional()
      .meta({
        minProperties: 1,
        description: 'Only rows with one of these values in each column; * and ? as in --only.',
      }),
    limit: z.int().min(1).exactOptional().meta({ description: 'The first so many of these rows.' }),
  })
  .meta({ id: 'table', description: 'A table, and which of its rows.' });
export const ROWS_KEYS = Object.keys(rowsMap.shape);

/** Required keys are checked in `rules.ts`, so that a missing key does not prevent the other checks. */
export const jobSchema = z.strictObject({
  id: orTemplate(
    nameSchema,
    'What the images are called; it begins their file names. With {{ variables }}, a name for each.',
  ),
  was: orTemplate(
    nameSchema,
    'What its images were called before: they are taken over where their request is equal, and not paid for again.',
  ),
  ...common,
  matrix: z
    .record(variableName, z.array(asWritten).min(1))
    .exactOptional()
    .meta({ description: 'Lists of values by variable: an image for each combination.' }),
  zip: z.record(variableName, z.array(asWritten).min(1)).exactOptional().meta({
    description: 'Lists of one length by variable: an image for each step, times the combinations of the matrix.',
  }),
  exclude: z
    .array(
      z
        .record(variableName, asWritten)
        .refine((partial) => Object.keys(partial).length > 0, 'expected at least one variable')
        .meta({ minProperties: 1 }),
    )
    .min(1)
    .exactOptional()
    .meta({ description: 'Combinations to leave out, each by some of its values: { color: red, angle: front }.' }),
  rows: z.union([rowsMap, rowsPath]).exactOptional().meta({
    description:
      'A table, relative to this file: an image for each row, its columns are variables. .csv, .tsv, .xlsx, .json, .jsonl or .ndjson; or { file, where, limit }.',
  }),
  prompts: z
    .string()
    .regex(/\.[tT][xX][tT]$/, 'expected the path of a .txt file')
    .exactOptional()
    .meta({
      description:
        'A .txt file, relative to this one, with a prompt on each line (# and a space begin a comment): an image for each. It gives {{ prompt }} and {{ words }}, its beginning; id and prompt may then be left out.',
    }),
});
export type JobText = z.infer<typeof jobSchema>;

/**
 * The top level. `defaults` and each job are parsed separately, so that one broken job does not hide the mistakes of
 * others.
 */
export const manifestSchema = z.strictObject({
  version: z.literal(1).exactOptional().meta({ description: 'Of this format: 1.' }),
  batch: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9._-]{0,62}$/,
      'expected at most 63 of a-z, 0-9, ".", "_" and "-", a letter or digit first (it begins the keys of the images)',
    )
    .exactOptional()
    .meta({ description: 'The name of all of it. It begins the key of each image: <batch>/images/<item>.png' }),
  include: z.array(z.string().min(1)).min(1).exactOptional().meta({
    description:
      'Other manifests, relative to this one: their jobs come before those here, with their own defaults over the ones here. Their batch is ignored.',
  }),
  defaults: z.unknown().optional(),
  jobs: z.array(z.unknown()).min(1).exactOptional(),
});

/** For the JSON Schema, whose patterns have no flags: `csv` → `[cC][sS][vV]`. */
function anyCase(ending: string): string {
  return [...ending].map((letter) => `[${letter}${letter.toUpperCase()}]`).join('');
}

function isWebAddress(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}
