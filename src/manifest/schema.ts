import { z } from 'zod';
import { imageRequestSchema } from '../item.ts';
import { hasTemplate } from './template.ts';

const MAX_PROMPT = 10_000;
const MAX_NAME = 200;
const MAX_URL = 2_048;
/** In editing mode the API answers code 500 to more, which looks like a fault of its own. */
export const MAX_EDITING_TOLERANCE = 2;
export const EXPECTED_WHEN_EDITING = `expected 0 to ${MAX_EDITING_TOLERANCE} when editing (inputImage is given)`;

/** What a request must be once its templates are filled in. Stricter than what the API's client insists on. */
export const requestSchema = imageRequestSchema
  .extend({
    prompt: z.string().trim().min(1).max(MAX_PROMPT),
    inputImage: z
      .string()
      .max(MAX_URL)
      .refine(isWebAddress, 'expected an http(s) URL that the provider can reach')
      .exactOptional(),
  })
  .check(({ value, issues }) => {
    const { inputImage, safetyTolerance: input } = value;
    if (inputImage === undefined || input === undefined || input <= MAX_EDITING_TOLERANCE) return;
    issues.push({ code: 'custom', path: ['safetyTolerance'], input, message: EXPECTED_WHEN_EDITING });
  });

/** A job's rendered `id`. */
export const nameSchema = z.string().trim().min(1).max(MAX_NAME);

/** Everything that the API takes, in the order in which a request lists it. */
export const PARAMETERS = requestSchema.keyof().options;
export type ParameterName = (typeof PARAMETERS)[number];

/** A text with `{{ … }}` is checked when it is filled in, anything else now. */
const template = z.string().refine(hasTemplate, { abort: true });

const { shape } = requestSchema;
const common = {
  prompt: z.union([template, shape.prompt]).exactOptional(),
  model: z.union([template, shape.model]).exactOptional(),
  outputFormat: z.union([template, shape.outputFormat]).exactOptional(),
  aspectRatio: z.union([template, shape.aspectRatio.unwrap()]).exactOptional(),
  inputImage: z.union([template, shape.inputImage.unwrap()]).exactOptional(),
  enableTranslation: z.union([template, shape.enableTranslation.unwrap()]).exactOptional(),
  promptUpsampling: z.union([template, shape.promptUpsampling.unwrap()]).exactOptional(),
  safetyTolerance: z.union([template, shape.safetyTolerance.unwrap()]).exactOptional(),
  uploadCn: z.union([template, shape.uploadCn.unwrap()]).exactOptional(),
  watermark: z.union([template, shape.watermark.unwrap()]).exactOptional(),
  variants: z.int().min(1).max(100).exactOptional(),
  /** BullMQ keeps 21 bits of it. */
  priority: z.int().min(0).max(2_000_000).exactOptional(),
};

export const defaultsSchema = z.strictObject(common);
export type Defaults = z.infer<typeof defaultsSchema>;

/** What is required is a rule of its own (`rules.ts`), so that the rest can be checked all the same. */
export const jobSchema = z.strictObject({
  id: z.union([template, nameSchema]).exactOptional(),
  ...common,
  matrix: z.record(z.string(), z.array(z.string()).min(1)).exactOptional(),
  rows: z
    .string()
    .regex(/\.(csv|jsonl)$/i, 'expected the path of a .csv or .jsonl file')
    .exactOptional(),
});
export type JobText = z.infer<typeof jobSchema>;

/** The outermost level. `defaults` and each job are parsed on their own: one broken job does not hide the others' mistakes. */
export const manifestSchema = z.strictObject({
  version: z.literal(1).exactOptional(),
  batch: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9._-]{0,62}$/,
      'expected at most 63 of a-z, 0-9, ".", "_" and "-", a letter or digit first (it begins the keys of the images)',
    )
    .exactOptional(),
  defaults: z.unknown().optional(),
  jobs: z.array(z.unknown()).min(1).exactOptional(),
});

function isWebAddress(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}
