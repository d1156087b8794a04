import { z } from 'zod';
import { COUNT_PARAMETERS } from '../../items/image-count.ts';

const scalar = z.union([z.string(), z.number(), z.boolean()]);

/** What a value may be, and what it is called and spelt at the API. */
const fieldSchema = z.strictObject({
  /** The API's name for it; of `fields` it is the key. */
  field: z.string().min(1).exactOptional(),
  type: z.enum(['text', 'whole', 'number', 'boolean']).exactOptional(),
  /** A list of what is permitted; a map from our word to the API's, or to several of its fields. */
  values: z
    .union([z.array(scalar).min(1), z.record(z.string(), z.union([scalar, z.record(z.string(), scalar)]))])
    .exactOptional(),
  least: z.number().exactOptional(),
  most: z.number().exactOptional(),
  /** A multiple of this. */
  step: z.number().positive().exactOptional(),
  required: z.boolean().exactOptional(),
  /** Sent where nothing is said: for fields that the API requires. */
  default: scalar.exactOptional(),
});
export type Field = z.infer<typeof fieldSchema>;

const imagesSchema = z.strictObject({
  field: z.string().min(1),
  /** `list` of URLs; `one` URL; `numbered`: input_image, input_image_2, … */
  form: z.enum(['list', 'one', 'numbered']),
  most: z.int().min(1),
  /** Megabytes of each; absent: INPUT_MAX_MB. */
  mostMB: z.number().positive().exactOptional(),
  required: z.boolean().exactOptional(),
});

/** The words of a manifest besides prompt and model that a model may know. */
export const COMMON_WORDS = ['aspectRatio', 'outputFormat', 'seed', 'safetyTolerance', 'promptUpsampling'] as const;
export type CommonWord = (typeof COMMON_WORDS)[number];

const sheetSchema = z.strictObject({
  prompt: z.strictObject({ least: z.int().exactOptional(), most: z.int().exactOptional() }).exactOptional(),
  words: z.partialRecord(z.enum(COMMON_WORDS), fieldSchema).exactOptional(),
  images: imagesSchema.exactOptional(),
  /** Which of `fields` says how many images a task makes. Each is paid for, so prices are multiplied by it. */
  imageCount: z.enum(COUNT_PARAMETERS).exactOptional(),
  /** What only this model has, by the API's names: `parameters` of a manifest. */
  fields: z.record(z.string(), fieldSchema).exactOptional(),
  /** Of width times height, where the API names such a limit. */
  mostPixels: z.int().min(1).exactOptional(),
  /** Combinations of the API's values that it refuses. A null stands for a field that is not sent. */
  never: z.array(z.record(z.string(), z.union([scalar, z.null()]))).exactOptional(),
});
export type ModelSheet = z.infer<typeof sheetSchema>;

const providerSheetsSchema = z.strictObject({
  date: z.iso.date(),
  source: z.string(),
  models: z.record(z.string(), sheetSchema),
});

/** A file of models: what each takes, by provider. */
export const modelsSchema = z.strictObject({
  'kie-jobs': providerSheetsSchema.exactOptional(),
  bfl: providerSheetsSchema.exactOptional(),
});
/** By provider, by the model's exact name. */
export type Models = Readonly<Record<'kie-jobs' | 'bfl', Readonly<Record<string, ModelSheet>>>>;
