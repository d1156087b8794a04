/** No wait asked for by a server is believed beyond this: a wrong clock must not stop a fleet for a day. */
const LONGEST_MS = 600_000;

/** The three forms that RFC 9110 §5.6.7 makes a recipient read; the last one means GMT without saying so. */
const HTTP_DATE = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];

/**
 * What a `Retry-After` header asks for, in milliseconds within 0 and 10 minutes: seconds or an HTTP date (a past one is 0).
 * `undefined` when there is none that can be read.
 */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  const value = header?.trim() ?? '';
  const waitMs = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : httpDate(value) - now;
  if (Number.isNaN(waitMs)) return undefined;
  return Math.round(Math.min(Math.max(waitMs, 0), LONGEST_MS));
}

function httpDate(value: string): number {
  // Date.parse alone reads far too much as a date: '-5' is the first of May 2001 to it.
  if (!HTTP_DATE.some((form) => form.test(value))) return Number.NaN;
  return Date.parse(value.endsWith('GMT') ? value : `${value} GMT`);
}
