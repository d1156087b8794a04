import { z } from 'zod';
import { type Answer, envelope } from '../answer.ts';
import type { Checked, Dialect } from '../dialect.ts';
import { checkParameters } from '../parameters.ts';
import type { Task } from '../tasks.ts';

/** Credits of an image, by model; by resolution or quality where an object says so. From the pricing page of June 2026. */
const MODELS: Readonly<Record<string, number | Readonly<Record<string, number>>>> = {
  'flux-2/pro-text-to-image': { '1K': 5, '2K': 7 },
  'flux-2/pro-image-to-image': { '1K': 5, '2K': 7 },
  'flux-2/flex-text-to-image': { '1K': 14, '2K': 24 },
  'flux-2/flex-image-to-image': { '1K': 14, '2K': 24 },
  'google/nano-banana': 4,
  'google/nano-banana-edit': 4,
  'nano-banana-pro': { '1K': 18, '2K': 18, '4K': 24 },
  'nano-banana-2': { '1K': 8, '2K': 12, '4K': 18 },
  'bytedance/seedream-v4-text-to-image': 5,
  'bytedance/seedream-v4-edit': 5,
  'seedream/4.5-text-to-image': 6.5,
  'seedream/4.5-edit': 6.5,
  'gpt-image/1.5-text-to-image': { medium: 4, high: 22 },
  'gpt-image/1.5-image-to-image': { medium: 4, high: 22 },
  'gpt-image-2-text-to-image': { '1K': 6, '2K': 10, '4K': 16 },
  'gpt-image-2-image-to-image': { '1K': 6, '2K': 10, '4K': 16 },
  'qwen/image-edit': 5,
  'ideogram/v3-text-to-image': { TURBO: 3.5, BALANCED: 7, QUALITY: 10 },
  'ideogram/v3-remix': { TURBO: 3.5, BALANCED: 7, QUALITY: 10 },
  'ideogram/v3-edit': { TURBO: 3.5, BALANCED: 7, QUALITY: 10 },
  'z-image': 0.8,
};
/** Fields that must be there besides the prompt. */
const REQUIRED: readonly (readonly [RegExp, string])[] = [
  [/^flux-2\/.*image-to-image$/, 'input_urls'],
  [/^flux-2\//, 'resolution'],
  [/^(flux-2\/|seedream\/|gpt-image\/|z-image)/, 'aspect_ratio'],
  [/^(google\/nano-banana-edit|.*seedream.*edit)$/, 'image_urls'],
  [/^(qwen\/image-edit|ideogram\/v3-(remix|edit))$/, 'image_url'],
];

/** Which field says how many images are made, and how many they may be at most. Some of these models want the number as text. */
const SEVERAL: readonly (readonly [RegExp, string, number])[] = [
  [/^bytedance\/seedream-v4-/, 'max_images', 6],
  [/^(qwen\/image-edit|ideogram\/v3-remix)$/, 'num_images', 4],
];

/** Each is charged. Undefined: more than the model makes, or no number. */
function imagesAskedFor(model: string, input: Record<string, unknown>): number | undefined {
  const [, field, most] = SEVERAL.find(([pattern]) => pattern.test(model)) ?? [];
  const asked = field === undefined ? undefined : input[field];
  if (asked === undefined || most === undefined) return 1;
  const count = Number(asked);
  return Number.isInteger(count) && count >= 1 && count <= most ? count : undefined;
}

const jobSchema = z.object({
  model: z.string(),
  input: z.looseObject({ prompt: z.unknown() }),
  callBackUrl: z.url({ protocol: /^https?$/ }).optional(),
});

/** kie's unified jobs API, at the same host and account as Flux Kontext. */
export const KIE_JOBS: Dialect = {
  api: 'jobs',
  check(body): Checked {
    const parsed = jobSchema.safeParse(parseJson(body));
    if (!parsed.success) return { ok: false, code: 422, msg: 'input is invalid' };
    const { model, input, callBackUrl } = parsed.data;
    const price = MODELS[model];
    if (price === undefined)
      return { ok: false, code: 422, msg: 'The model name you specified is not supported, please check it' };
    if (typeof input.prompt !== 'string' || input.prompt === '')
      return { ok: false, code: 500, msg: 'prompt is required' };
    const missing = REQUIRED.find(([pattern, field]) => pattern.test(model) && input[field] === undefined);
    if (missing) return { ok: false, code: 500, msg: `${missing[1]} is required` };
    const words = JSON.stringify({
      prompt: input.prompt,
      outputFormat: /^jpe?g$/.test(String(input.output_format)) ? 'jpeg' : 'png',
      aspectRatio: ['21:9', '16:9', '4:3', '1:1', '3:4', '9:16'].find((ratio) => ratio === input.aspect_ratio),
      // Whoever asks for something else gets a picture of its own.
      watermark: JSON.stringify([model, input]),
      callBackUrl,
    });
    const checked = checkParameters(words);
    if (!checked.ok) return checked;
    const images = imagesAskedFor(model, input);
    if (images === undefined) return { ok: false, code: 422, msg: 'number of images is not supported' };
    const by = String(input.resolution ?? input.quality ?? input.rendering_speed ?? '');
    const credits = typeof price === 'number' ? price : (price[by] ?? Object.values(price)[0] ?? 0);
    return { ...checked, credits: credits * images, images };
  },
  refuse: (code, msg) => envelope(code, msg),
  accept: (task) => envelope(200, 'success', { taskId: task.id, recordId: task.id }),
};

/** `data` of `recordInfo`. `result`: what is shown of the image; text as a rule. */
export function jobRecord(task: Task, result: unknown) {
  const { endedAt, ending } = task;
  const isFailed = endedAt !== undefined && ending.flag !== 1;
  return {
    taskId: task.id,
    model: modelOf(task),
    state: endedAt === undefined ? (task.polls % 2 === 1 ? 'waiting' : 'generating') : isFailed ? 'fail' : 'success',
    param: task.told,
    resultJson: result,
    failCode: isFailed ? String(ending.errorCode) : '',
    failMsg: isFailed ? ending.errorMessage : '',
    costTime: endedAt === undefined ? null : Math.round((endedAt - task.acceptedAt) / 1_000),
    createTime: task.acceptedAt,
    updateTime: endedAt ?? task.acceptedAt,
    completeTime: endedAt ?? null,
    ...(endedAt === undefined ? {} : { creditsConsumed: isFailed ? 0 : task.credits }),
  };
}

export const resultJsonOf = (urls: readonly string[]) => JSON.stringify({ resultUrls: urls });

export function jobCallback(task: Task, urls: readonly string[], isSnakeCase: boolean) {
  const isGood = task.ending.flag === 1;
  const { taskId, creditsConsumed, ...data } = jobRecord(task, isGood ? resultJsonOf(urls) : '');
  return {
    code: isGood ? 200 : 501,
    msg: isGood ? 'Playground task completed successfully.' : 'Playground task failed.',
    data: {
      ...(isSnakeCase ? { task_id: taskId } : { taskId }),
      ...data,
      consumeCredits: creditsConsumed,
      remainedCredits: 0,
    },
  };
}

function modelOf({ told }: Task): string {
  const parsed = jobSchema.safeParse(parseJson(told));
  return parsed.success ? parsed.data.model : '';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An unknown task. Documented is 404; this was seen. */
export const noRecord = (): Answer => envelope(422, 'recordInfo is null');
