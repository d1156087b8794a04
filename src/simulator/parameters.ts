import { createHash } from 'node:crypto';
import { z } from 'zod';
import { withoutTokens } from './input-urls.ts';

/** A prompt with this word is refused at once (code 400). */
const REFUSED_WORD = /\bforbidden\b/i;
/** A prompt with this word is accepted and charged, and its generation fails (code 400 as well). */
const CENSORED_WORD = /\bcensored\b/i;

const httpUrl = z.url({ protocol: /^https?$/ });

/** The documented parameters. Others are ignored, as most APIs do. */
const generateSchema = z.object({
  prompt: z.string().refine((prompt) => prompt.trim() !== '', { error: 'prompt is required' }),
  model: z.enum(['flux-kontext-pro', 'flux-kontext-max']).default('flux-kontext-pro'),
  aspectRatio: z.enum(['21:9', '16:9', '4:3', '1:1', '3:4', '9:16', '16:21']).optional(),
  outputFormat: z.enum(['jpeg', 'png']).default('jpeg'),
  inputImage: httpUrl.optional(),
  enableTranslation: z.boolean().default(true),
  promptUpsampling: z.boolean().default(false),
  safetyTolerance: z.int().default(2),
  callBackUrl: httpUrl.optional(),
  uploadCn: z.boolean().default(false),
  watermark: z.string().optional(),
});
export type Generate = z.infer<typeof generateSchema>;

export type ParameterCheck =
  | { ok: true; request: Generate; paramJson: string; requestKey: string }
  | { ok: false; code: number; msg: string };

/** Checks the raw body of a submit. */
export function checkParameters(body: string): ParameterCheck {
  const parsed = generateSchema.safeParse(parseJson(body));
  if (!parsed.success) return { ok: false, code: 422, msg: problemOf(parsed.error) };
  const request = parsed.data;
  // The API answers 500 to a value out of range, not 422. Editing has the narrower range.
  const mostTolerant = request.inputImage === undefined ? 6 : 2;
  if (request.safetyTolerance < 0 || request.safetyTolerance > mostTolerant) {
    return { ok: false, code: 500, msg: 'safetyTolerance out of range' };
  }
  if (REFUSED_WORD.test(request.prompt)) return { ok: false, code: 400, msg: 'content policy violation' };
  return { ok: true, request, paramJson: body, requestKey: keyOf(request) };
}

export function isCensored(prompt: string): boolean {
  return CENSORED_WORD.test(prompt);
}

/** The request of a task, from its `paramJson`. */
export function requestOf(paramJson: string): Generate {
  return generateSchema.parse(JSON.parse(paramJson));
}

/** The default ratio is 16:9, and for editing that of the input image, which is assumed to be square. */
export function ratioOf(request: Generate): string {
  return request.aspectRatio ?? (request.inputImage === undefined ? '16:9' : '1:1');
}

/** Equal for requests for the same picture. The callback URL is not part of it. */
function keyOf({ callBackUrl: _, ...picture }: Generate): string {
  // Zod outputs the keys in the schema's order, so their order in the body does not matter.
  return createHash('sha256')
    .update(withoutTokens(JSON.stringify(picture)))
    .digest('hex')
    .slice(0, 16);
}

function problemOf(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue ? `${issue.path.join('.') || 'body'}: ${issue.message}` : 'parameters refused';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
