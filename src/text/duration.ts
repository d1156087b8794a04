import { UsageError } from '../errors.ts';

const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof UNITS_MS;

/** At most `max` requests in each window. */
export type Rate = { max: number; windowMs: number };

/** `500ms`, `10s`, `1.5m`, `2h`, `14d` → milliseconds. Throws a UsageError (`duration-invalid`). */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim());
  const unit = match?.[2];
  if (!match || !isUnit(unit)) {
    throw new UsageError('duration-invalid', `Expected a duration such as 500ms, 10s, 20m, 2h or 14d, got "${text}"`);
  }
  return Math.round(Number(match[1]) * UNITS_MS[unit]);
}

/** `20/10s`, `10/1s`, `10/s` → `{ max, windowMs }`. Throws a UsageError (`rate-invalid`). */
export function parseRate(text: string): Rate {
  const [count = '', duration = ''] = text.trim().split('/');
  const max = Number(count);
  const spelled = isUnit(duration) ? `1${duration}` : duration;
  if (!/^\d+$/.test(count) || max < 1 || !/^\d/.test(spelled)) {
    throw new UsageError('rate-invalid', `Expected a rate such as 20/10s, got "${text}"`);
  }
  const windowMs = parseDuration(spelled);
  if (windowMs < 1) throw new UsageError('rate-invalid', `Expected a window longer than 0 in a rate, got "${text}"`);
  return { max, windowMs };
}

/** For people: `850ms`, `12.3s`, `4m 05s`, `1h 10m`, `14d`. */
export function formatDuration(ms: number): string {
  const pad = (value: number) => String(value).padStart(2, '0');
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1).replace(/\.0$/, '')}s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${pad(seconds % 60)}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)}h ${pad(minutes % 60)}m`;
  return `${Math.round(minutes / 60 / 24)}d`;
}

/** The inverse of `parseRate`, for messages. */
export function formatRate(rate: Rate): string {
  return `${rate.max}/${formatDuration(rate.windowMs)}`;
}

function isUnit(text: string | undefined): text is Unit {
  return text !== undefined && text in UNITS_MS;
}
