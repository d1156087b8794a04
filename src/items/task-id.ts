/** What a task id is, wherever one comes from: it goes into URLs, records, logs and Redis. */
export const TASK_ID = /^[\x21-\x7e]{1,200}$/;

/** Both spellings are in the provider's published samples. Others put the id beside `data`. */
const NAMES = ['taskId', 'task_id'] as const;

/**
 * The task id in an answer or a callback: in its `data` or at its top, by either name, as text or as a number. `text` is the whole of
 * it: a number of more than 15 digits has lost some of them in `json`. Undefined where there is none.
 */
export function taskIdIn(json: unknown, text: string): string | undefined {
  const data = field(json, 'data');
  for (const place of [data, json])
    for (const name of NAMES) {
      const id = idOf(field(place, name), name, text);
      if (id !== undefined) return id;
    }
  return undefined;
}

function idOf(value: unknown, name: string, text: string): string | undefined {
  const id = typeof value === 'number' ? digitsOf(value, name, text) : value;
  if (typeof id !== 'string') return undefined;
  const trimmed = id.trim();
  return TASK_ID.test(trimmed) ? trimmed : undefined;
}

function digitsOf(value: number, name: string, text: string): string | undefined {
  if (!Number.isInteger(value)) return undefined;
  if (Number.isSafeInteger(value)) return String(value);
  return new RegExp(`"${name}"\\s*:\\s*(\\d+)\\s*[,}]`).exec(text)?.[1];
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
