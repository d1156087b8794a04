import type { Answer } from '../answer.ts';
import type { Refusal, Refused } from '../provider.ts';
import { waitIn } from '../retry-after.ts';
import type { Envelope, Unreadable } from './envelope.ts';
import { KIE_FACTS } from './facts.ts';

/** Envelope codes that are known to have started no task. 500 and 501 are left out on purpose: a task may exist. */
const REFUSAL_OF_CODE: ReadonlyMap<number, Refusal> = new Map([
  [400, 'content-policy'],
  [401, 'unauthorized'],
  [402, 'out-of-credits'],
  [404, 'not-found'],
  [422, 'invalid-parameters'],
  [429, 'rate-limited'],
  // A sub-key's own cap: for that key it is what 402 is for the account.
  [433, 'out-of-credits'],
  [455, 'maintenance'],
  [505, 'feature-disabled'],
]);

/**
 * HTTP statuses with which a gateway refuses before the API sees the request. A plain 400 is left out: it is no content
 * policy violation, and nothing shows who answered it. All 5xx are left out: a 502 or 504 comes after the request was
 * passed on.
 */
const REFUSAL_OF_STATUS: ReadonlyMap<number, Refusal> = new Map([
  [401, 'unauthorized'],
  [402, 'out-of-credits'],
  [403, 'unauthorized'],
  [404, 'not-found'],
  [422, 'invalid-parameters'],
  [429, 'rate-limited'],
  // A sub-key's own cap: for that key it is what 402 is for the account.
  [433, 'out-of-credits'],
  [455, 'maintenance'],
]);

/**
 * The refusal in an answer, or `undefined` when it is none. An envelope is judged by its code, any other answer by its
 * status.
 */
export function refusedBy(answer: Answer, read: Envelope | Unreadable, now: number): Refused | undefined {
  const byEnvelope = read.kind === 'envelope';
  const code = byEnvelope ? read.code : answer.status;
  const refusal = (byEnvelope ? REFUSAL_OF_CODE : REFUSAL_OF_STATUS).get(code);
  if (refusal === undefined) return undefined;
  const waitMs = waitIn(answer, KIE_FACTS.limits.headers, now);
  return {
    kind: 'refused',
    refusal,
    code,
    message: byEnvelope ? read.message : gatewayMessage(code, answer.text),
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  };
}

function gatewayMessage(status: number, text: string): string {
  if (status !== 403) return `a gateway answered HTTP ${status}`;
  const cloudflare = /\b1010\b/.test(text) ? ' (Cloudflare 1010: it dislikes the User-Agent or the address)' : '';
  return `a gateway answered HTTP 403${cloudflare}; Cloudflare does so for clients it takes for bots`;
}
