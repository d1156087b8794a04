import { z } from 'zod';
import { type Answer, jsonTextOf, parseJson, withQuote } from '../answer.ts';

/** The wrapper of every JSON answer of the API. Its `code` is the outcome, not the HTTP status. */
export type Envelope = { kind: 'envelope'; code: number; message: string; data: unknown };

/** A body without an envelope, mostly from a gateway in front of the API. */
export type Unreadable = { kind: 'unreadable'; flaw: 'empty' | 'html' | 'truncated' | 'not-json' | 'not-an-envelope' };

/** Some resellers write the code as text. Some say 0 for success, as many an API does. */
const codeSchema = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d{1,6}$/)
      .transform(Number),
  ])
  .transform((code) => (code === 0 ? 200 : code));

const envelopeSchema = z.object({
  code: codeSchema,
  msg: z.string().nullish().catch(undefined),
  data: z.unknown().optional(),
});

export function readEnvelope(answer: Answer): Envelope | Unreadable {
  const text = jsonTextOf(answer);
  if (text === '') return { kind: 'unreadable', flaw: 'empty' };
  if (text.startsWith('<')) return { kind: 'unreadable', flaw: 'html' };
  const json = parseJson(text);
  if (json === undefined) return { kind: 'unreadable', flaw: /^[{[]/.test(text) ? 'truncated' : 'not-json' };
  const envelope = envelopeSchema.safeParse(json);
  if (!envelope.success) return { kind: 'unreadable', flaw: 'not-an-envelope' };
  const { code, msg, data } = envelope.data;
  return { kind: 'envelope', code, message: msg || `code ${code}`, data };
}

const FLAW_IN_WORDS: Record<Unreadable['flaw'], string> = {
  empty: 'an empty body',
  html: 'HTML',
  truncated: 'JSON that breaks off or is malformed',
  'not-json': 'text that is no JSON',
  'not-an-envelope': 'JSON without a numeric code',
};

export function describeUnreadable(answer: Answer, { flaw }: Unreadable): string {
  return withQuote(`HTTP ${answer.status} with ${FLAW_IN_WORDS[flaw]}`, answer);
}
