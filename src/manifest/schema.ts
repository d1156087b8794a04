import { z } from 'zod';
import { PROVIDERS } from '../items/item.ts';
import { ROWS_ENDINGS, rowsFormatOf } from '../tables/rows-file.ts';
import { anyRequestSchema, nameSchema, requestSchema } from './request-schema.ts';
import { TEMPLATE, VARIABLE_NAME } from './template.ts';

/** Text with `{{ … }}` is checked when it is filled in. Any other value is checked at once. */
const template = z
  .string()
  .regex(TEMPLATE, { abort: true })
  .meta({ id: 'template', description: 'Text with {{ variables }}, checked when they are filled in.' });

function orTemplate<S extends z.ZodType>(value: S, description: string) {
  return z.union([template, value]).exactOptional().meta({ description });
}

const { shape } = requestSchema;
const sharedKeys = {
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
const provider = z
  .union([template, z.array(z.union([template, z.enum(PROVIDERS)])).min(1), z.enum(PROVIDERS)])
  .exactOptional()
  .meta({
    description:
      'Who makes the image: kie (Flux Kontext, the default), kie-jobs (other models at kie) or bfl (Black Forest Labs). Of a list, such as [kie, bfl], the first is preferred; while it takes nothing, the next does.',
  });
const common = {
  provider,
  prompt: orTemplate(shape.prompt, 'What to draw.'),
  model: orTemplate(shape.model, 'flux-kontext-pro (default), or flux-kontext-max: stronger and dearer.'),
  outputFormat: orTemplate(shape.outputFormat, 'jpeg (default) or png.'),
  aspectRatio: orTemplate(
    shape.aspectRatio.unwrap(),
    'Width to height. Without one the API decides; an edited image keeps its own. 16:21 is offered by some resellers only.',
  ),
  inputImage: orTemplate(
    shape.inputImage.unwrap(),
    'The image to edit: an http(s) URL that the provider can reach, or the path of a .jpg, .png or .webp file, relative to this one. safetyTolerance is then 2 at most.',
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
  ...sharedKeys,
};

const any = anyRequestSchema.shape;
/** The words that all providers share. What a model makes of them is checked when they are filled in. */
const commonOfOthers = {
  ...common,
  prompt: orTemplate(any.prompt, 'What to draw.'),
  model: orTemplate(any.model, 'By its exact name, such as flux-2-pro or nano-banana-2: models.json lists them.'),
  outputFormat: orTemplate(any.outputFormat.unwrap(), 'jpeg, png or webp, where the model lets one choose.'),
  aspectRatio: orTemplate(any.aspectRatio.unwrap(), 'Width to height, such as 16:9.'),
  inputImages: z
    .array(z.union([template, any.inputImages.unwrap().element]))
    .min(1)
    .exactOptional()
    .meta({
      description: 'Several images to start from, where the model takes them: URLs or paths, as of inputImage.',
    }),
  seed: orTemplate(any.seed.unwrap(), 'The same seed and prompt give the same image, where the model has one.'),
  parameters: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .exactOptional()
    .meta({ description: "What only this model has, by its API's names: { resolution: 2K }." }),
};

export const defaultsSchema = z.strictObject(commonOfOthers);
export type Defaults = z.infer<typeof defaultsSchema>;
/** Of a manifest whose jobs are all made by the default provider, unless they say otherwise. */
export const kontextDefaultsSchema = z.strictObject(common);

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
const names = {
  id: orTemplate(
    nameSchema,
    'What the images are called; it begins their file names. With {{ variables }}, a name for each.',
  ),
  was: orTemplate(
    nameSchema,
    'What its images were called before: they are taken over where their request is equal, and not paid for again.',
  ),
};
const lists = {
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
  inputs: z.string().min(1).exactOptional().meta({
    description:
      'Pictures to edit, an image for each: a folder, or a pattern such as photos/*.jpg (** for folders at any depth), relative to this file. It gives {{ file }}, {{ name }} and {{ folder }}; inputImage is then {{ file }}, and id may be left out.',
  }),
  prompts: z
    .string()
    .regex(/\.[tT][xX][tT]$/, 'expected the path of a .txt file')
    .exactOptional()
    .meta({
      description:
        'A .txt file, relative to this one, with a prompt on each line (# and a space begin a comment): an image for each. It gives {{ prompt }} and {{ words }}, its beginning; id and prompt may then be left out.',
    }),
};
export const jobSchema = z.strictObject({ ...names, ...commonOfOthers, ...lists });
/** Of a job that the default provider makes. */
export const kontextJobSchema = z.strictObject({ ...names, ...common, ...lists });
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
