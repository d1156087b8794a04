import { z } from 'zod';
import { type Answer, json } from '../answer.ts';
import type { Checked, Dialect } from '../dialect.ts';
import { checkParameters } from '../parameters.ts';
import type { Telling } from '../record-info.ts';
import type { Task } from '../tasks.ts';

/** Credits of an image. `quick` is answered with its image at once. */
const MODELS: Readonly<Record<string, number>> = { slow: 2, quick: 3 };

const orderSchema = z.object({
  prompt: z.string().min(1),
  model: z.string(),
  format: z.enum(['jpeg', 'png']).default('jpeg'),
  /** Made by the caller: all orders that bear it are one task. */
  key: z.string().min(1).optional(),
});

const TYPES: Readonly<Record<number, string>> = {
  400: 'policy',
  401: 'auth',
  402: 'balance',
  422: 'input',
  429: 'busy',
  455: 'maintenance',
};

const refuse = (code: number, message: string): Answer =>
  json({ error: { type: TYPES[code] ?? 'server', message } }, code);

/**
 * An API that nobody offers, for tests of what the real ones lack: a key made by the caller, and results in the answer to a submit, as
 * Runware and fal.ai have them in parts.
 */
export const KEYED: Dialect = {
  api: 'keyed',
  check(body): Checked {
    const parsed = orderSchema.safeParse(parseJson(body));
    if (!parsed.success) return { ok: false, code: 422, msg: parsed.error.issues[0]?.message ?? 'invalid' };
    const { prompt, model, format, key } = parsed.data;
    const credits = MODELS[model];
    if (credits === undefined) return { ok: false, code: 422, msg: `no model ${model}` };
    const checked = checkParameters(JSON.stringify({ prompt, outputFormat: format, watermark: model }));
    if (!checked.ok) return checked;
    return { ...checked, credits, isInstant: model === 'quick', ...(key !== undefined && { key }) };
  },
  refuse,
  accept: (task) => json(told(task, task.quickUrl ?? null), task.endedAt === undefined ? 202 : 200),
};

/** `GET /v2/tasks/<id>`. */
export const KEYED_TELLING: Telling = {
  refuse,
  unknown: (id) => json({ error: { type: 'unknown', message: `no task ${id}` } }, 404),
  tell(task, { originImageUrl: url }, fault) {
    switch (fault) {
      case 'response-string':
        return json({ ...told(task, url), output: JSON.stringify(outputOf(url)) });
      case 'response-null':
      case 'success-without-url':
        return json(told(task, null));
      case 'other-url-names':
        return json({ ...told(task, url), output: { pictures: [url] } });
      case undefined:
        return json(told(task, url));
    }
  },
};

const outputOf = (url: string) => ({ images: [{ url, expires_in: 3_600 }] });

function told(task: Task, url: string | null) {
  const { id, credits, endedAt, ending } = task;
  if (endedAt === undefined) return { request_id: id, status: task.polls === 0 ? 'queued' : 'running', price: credits };
  if (ending.flag === 1)
    return { request_id: id, status: 'done', price: credits, output: url === null ? null : outputOf(url) };
  const isPolicy = ending.errorCode === 400;
  const type = isPolicy ? 'policy' : 'generation';
  return { request_id: id, status: 'failed', price: 0, error: { type, message: ending.errorMessage } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
