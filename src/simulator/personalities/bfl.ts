import { z } from 'zod';
import { type Answer, json } from '../answer.ts';
import type { Checked, Dialect } from '../dialect.ts';
import { withoutInline } from '../input-urls.ts';
import { checkParameters } from '../parameters.ts';
import type { Task } from '../tasks.ts';

/** Cents: flat, or for the first megapixel and each further one, of which an image to start from is one. */
const MODELS: Readonly<Record<string, number | readonly [number, number]>> = {
  'flux-kontext-pro': 4,
  'flux-kontext-max': 8,
  'flux-2-pro': [3, 1.5],
  'flux-2-max': [7, 3],
  'flux-2-flex': [5, 5],
  'flux-2-klein-4b': [1.4, 0.1],
  'flux-2-klein-9b': [1.5, 0.2],
  'flux-pro-1.1': 4,
};

const orderSchema = z.looseObject({
  prompt: z.string().min(1),
  aspect_ratio: z.string().optional(),
  output_format: z.enum(['jpeg', 'png', 'webp']).optional(),
  width: z.number().int().min(64).multipleOf(16).optional(),
  height: z.number().int().min(64).multipleOf(16).optional(),
  safety_tolerance: z.number().int().min(0).max(6).optional(),
  webhook_url: z.url({ protocol: /^https?$/ }).optional(),
  webhook_secret: z.string().optional(),
});

/** Black Forest Labs direct: HTTP statuses, a header `x-key`, a polling URL, and so many tasks at once. */
export function bflDialect(baseUrl: () => string): Dialect {
  return {
    api: 'bfl',
    check(body, model = ''): Checked {
      const price = MODELS[model];
      if (price === undefined) return { ok: false, code: 404, msg: 'Not Found' };
      const parsed = orderSchema.safeParse(parseJson(body));
      if (!parsed.success) return { ok: false, code: 422, msg: parsed.error.issues[0]?.message ?? 'invalid' };
      if (model.startsWith('flux-2') && (parsed.data.width ?? 0) * (parsed.data.height ?? 0) > 4_194_304)
        return { ok: false, code: 422, msg: 'at most 4 MP' };
      const {
        prompt,
        aspect_ratio: ratio,
        output_format: format,
        width,
        height,
        webhook_url: callBackUrl,
      } = parsed.data;
      const words = {
        prompt,
        outputFormat: format === 'jpeg' || (format === undefined && model.startsWith('flux-2')) ? 'jpeg' : 'png',
        aspectRatio: ['21:9', '16:9', '4:3', '1:1', '3:4', '9:16'].find((known) => known === ratio),
        watermark: withoutInline(
          JSON.stringify([model, { ...parsed.data, webhook_url: undefined, webhook_secret: undefined }]),
        ),
        callBackUrl,
      };
      // The policy speaks at the first poll, not at the submit.
      const checked = checkParameters(JSON.stringify({ ...words, prompt: prompt.replace(/forbidden/gi, 'f0rbidden') }));
      if (!checked.ok) return checked;
      const images = Object.keys(parsed.data).filter((key) => /^input_image(_\d)?$/.test(key)).length;
      const megapixels = Math.max(1, Math.ceil(((width ?? 1024) * (height ?? 1024)) / 1_048_576));
      const credits = typeof price === 'number' ? price : price[0] + price[1] * (megapixels - 1 + images);
      return { ...checked, credits: Math.round(credits * 100) / 100 };
    },
    refuse: (code, msg) => json({ detail: code === 422 ? [{ loc: ['body'], msg, type: 'value_error' }] : msg }, code),
    accept(task) {
      const common = { id: task.id, cost: task.credits, input_mp: 0, output_mp: 1 };
      const { webhook_url: url } = orderOf(task);
      if (url !== undefined) return json({ ...common, status: 'Pending', webhook_url: url });
      return json({ ...common, polling_url: `${baseUrl()}/v1/get_result?id=${task.id}` });
    },
    mostOf: (model) => (model === 'flux-kontext-max' ? 6 : undefined),
  };
}

export function resultOf(task: Task | undefined, id: string, sample: unknown): Answer {
  if (!task) return json({ id, status: 'Task not found', result: null, progress: null, details: null });
  return json({ id, ...bodyOf(task, sample), progress: task.endedAt === undefined ? 0.5 : 1, preview: null });
}

function bodyOf(task: Task, sample: unknown) {
  if (task.endedAt === undefined) return { status: 'Pending', result: null, details: null };
  if (isForbidden(task))
    return { status: 'Request Moderated', result: null, details: { 'Moderation Reasons': ['Policy'] } };
  if (task.ending.flag === 1) {
    const [start, end] = [task.acceptedAt / 1_000, task.endedAt / 1_000];
    const { prompt } = orderOf(task);
    return {
      status: 'Ready',
      result: { sample, seed: 1, prompt, start_time: start, end_time: end, duration: end - start },
      details: null,
      cost: task.credits,
    };
  }
  if (task.ending.errorCode === 400)
    return { status: 'Content Moderated', result: null, details: { 'Moderation Reasons': ['Derivative Works'] } };
  return { status: 'Error', result: null, details: { error: task.ending.errorMessage } };
}

/** What the policy refuses is charged for no task. */
export function isUncharged(task: Task): boolean {
  return isForbidden(task) || (task.ending.flag !== 1 && task.ending.errorCode === 400);
}

function isForbidden(task: Task): boolean {
  return /\bforbidden\b/i.test(orderOf(task).prompt);
}

export function webhookOf(task: Task, sample: string): { body: object; secret: string } {
  const { webhook_secret: secret = '' } = orderOf(task);
  const { status, result } = bodyOf(task, sample);
  return { body: { id: task.id, status, result, timestamp: new Date().toISOString() }, secret };
}

function orderOf({ told }: Task): z.infer<typeof orderSchema> {
  return orderSchema.parse(parseJson(told));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
