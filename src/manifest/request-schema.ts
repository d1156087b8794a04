import { z } from 'zod';
import { CONVERT_PICTURE } from '../items/input-reference.ts';
import { imageRequestSchema } from '../items/item.ts';
import { kontextParameters } from '../provider/kontext/parameters.ts';
import { controlCharacterIn } from '../text/control-characters.ts';

const MAX_PROMPT = 10_000;
const MAX_PROMPT_OF_OTHERS = 20_000;
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

/** By its ending: what it is indeed is found out when it is read. */
const PICTURE_PATH = /\.(jpe?g|png|webp)$/i;
const SCHEME = /^[a-z][a-z0-9+.-]+:/i;

const OTHER_PICTURE_PATH = /\.(heic|heif|avif|tiff?|gif|bmp|jxl)$/i;

const picture = z
  .string()
  .max(MAX_URL)
  .refine((text) => isWebAddress(text) || isPicturePath(text), {
    error: ({ input }) =>
      `expected an http(s) URL that the provider can reach, or the path of a .jpg, .png or .webp file${OTHER_PICTURE_PATH.test(String(input)) ? ` (${CONVERT_PICTURE})` : ''}`,
  })
  .check(drawable)
  .meta({
    pattern:
      '^[hH][tT][tT][pP][sS]?://|^(?![a-zA-Z][a-zA-Z0-9+.-]+:).*\\.([jJ][pP][eE]?[gG]|[pP][nN][gG]|[wW][eE][bB][pP])$',
  });
const TEXTS = {
  prompt: z.string().trim().min(1).max(MAX_PROMPT).check(drawable).meta(NOT_BLANK),
  inputImage: picture.exactOptional(),
};

/** A request to the default provider after its templates are filled in. Stricter than the check in the API's client. */
export const requestSchema = kontextParameters
  .extend({
    ...TEXTS,
    watermark: z.string().max(MAX_PROMPT).check(drawable).exactOptional(),
  })
  .check(({ value, issues }) => {
    const { inputImage, safetyTolerance: input } = value;
    if (inputImage === undefined || input === undefined || input <= MAX_EDITING_TOLERANCE) return;
    issues.push({ code: 'custom', path: ['safetyTolerance'], input, message: EXPECTED_WHEN_EDITING });
  });

/** A request to any provider: what its model makes of it is found out by `fitToModel`. */
export const anyRequestSchema = imageRequestSchema.extend({
  ...TEXTS,
  prompt: z.string().trim().min(1).max(MAX_PROMPT_OF_OTHERS).check(drawable).meta(NOT_BLANK),
  aspectRatio: z
    .string()
    .regex(/^(\d{1,2}:\d{1,2}|auto)$/, 'expected a ratio such as 16:9')
    .exactOptional(),
  inputImages: z.array(picture).min(1).exactOptional(),
});

/** A job's rendered `id`. */
export const nameSchema = z.string().trim().min(1).max(MAX_NAME).check(drawable).meta(NOT_BLANK);

/** All words of a request, in its order. */
export const PARAMETERS = anyRequestSchema.keyof().options;
export type ParameterName = (typeof PARAMETERS)[number];

export function isParameter(name: unknown): name is ParameterName {
  return PARAMETERS.some((parameter) => parameter === name);
}

export function isWebAddress(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}

/** Of a file, relative to its manifest. */
function isPicturePath(text: string): boolean {
  return PICTURE_PATH.test(text) && !SCHEME.test(text);
}
