import type { Variables } from './variables.ts';

/** The account at Black Forest Labs. */
export type BflSettings = ReturnType<typeof bflSettings>;

export function bflSettings(values: Variables) {
  return {
    apiKey: values.BFL_API_KEY,
    apiUrl: values.BFL_API_URL.replace(/\/+$/, ''),
    /** BFL documents none: what we hold to by ourselves. */
    rateLimit: values.BFL_RATE_LIMIT,
    pollLimit: values.BFL_POLL_LIMIT,
    /** Tasks that run at once. */
    maxTasks: values.BFL_MAX_TASKS,
    /** Ask for webhooks. Then there is no polling URL, and whether a task can be polled at all is not documented. */
    callbacks: values.BFL_CALLBACKS,
  };
}
