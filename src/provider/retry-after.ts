import { type Answer, headerOf } from './answer.ts';

/** A longer wait than this is not accepted. A server with a wrong clock must not stop a fleet for a day. */
const LONGEST_MS = 600_000;

/** The three date formats that RFC 9110 §5.6.7 requires recipients to accept. The last one has no zone and means GMT. */
const HTTP_DATE = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];

/** For how long a refusal says to wait, by the first of these headers that says it. A reset is in seconds, from now on or since 1970. */
export function waitIn(answer: Answer, headers: readonly string[], now: number): number | undefined {
  const waits = headers.map((name) => {
    const value = headerOf(answer, name)?.trim();
    const isReset = name.endsWith('-reset') && value !== undefined && /^\d{9,}(\.\d+)?$/.test(value);
    return retryAfterMs(isReset ? String(Math.max(0, Number(value) - now / 1_000)) : value, now);
  });
  return waits.find((waitMs) => waitMs !== undefined);
}

/**
 * Reads a `Retry-After` header, in seconds or as an HTTP date. Returns milliseconds from 0 to 10 minutes; a past date
 * is 0. `undefined` when the header is missing or unreadable.
 */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  const value = header?.trim() ?? '';
  const waitMs = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : httpDate(value) - now;
  if (Number.isNaN(waitMs)) return undefined;
  return Math.round(Math.min(Math.max(waitMs, 0), LONGEST_MS));
}

function httpDate(value: string): number {
  // `Date.parse` alone accepts too much. It reads '-5' as the first of May 2001.
  if (!HTTP_DATE.some((form) => form.test(value))) return Number.NaN;
  return Date.parse(value.endsWith('GMT') ? value : `${value} GMT`);
}
