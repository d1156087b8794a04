import { excerptOf } from '../text/bounded.ts';

/** A complete HTTP answer, not yet interpreted. Header names are in lower case. */
export type Answer = {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  text: string;
  /** The beginning of it, for people and without secrets. */
  said?: string;
};

/** Without what may stand around it. */
export function jsonTextOf({ text }: Answer): string {
  return text.replace(/^\uFEFF/, '').trim();
}

/** `undefined` when the text is not JSON. No JSON text parses to `undefined`. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function headerOf({ headers }: Answer, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** What was not understood, for whoever has to find out what it meant. */
export function withQuote(message: string, answer: Answer): string {
  const quote = answer.said ?? excerptOf(answer.text);
  return quote === '' ? message : `${message}: ${quote}`;
}

/** Signed URLs have a few hundred characters. */
const MOST_OF_URL = 8_192;

/** The value if it is an absolute http or https URL. */
export function webUrl(value: unknown): string | undefined {
  if (typeof value !== 'string' || !/^https?:\/\//i.test(value.trim()) || !URL.canParse(value.trim())) return undefined;
  return value.length > MOST_OF_URL ? undefined : value.trim();
}

/** The value if it is a number, or a string that contains one. */
export function finiteNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** A number outside of these years is not epoch milliseconds: 0 means "not yet", and seconds would be a date in 1970. */
const EARLIEST_MS = Date.UTC(2020);
const LATEST_MS = Date.UTC(2200);

/**
 * Reads an ISO time, or epoch milliseconds, as epoch milliseconds. A time without a zone is read as UTC. `Date.parse`
 * would read it as local time, and the image's deadline depends on it.
 */
export function epochMs(time: unknown): number | undefined {
  const number = finiteNumber(time);
  if (number !== undefined) return number > EARLIEST_MS && number < LATEST_MS ? number : undefined;
  const text = typeof time === 'string' ? time.trim() : '';
  if (!/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/.test(text)) return undefined;
  const iso = text.replace(' ', 'T');
  const parsed = Date.parse(/(Z|[+-]\d{2}:?\d{2})$/i.test(iso) ? iso : `${iso}Z`);
  return Number.isNaN(parsed) ? undefined : parsed;
}
