import { z } from 'zod';
import { type Answer, finiteNumber, jsonTextOf, parseJson } from '../answer.ts';
import type { Refusal, Refused } from '../provider.ts';
import { retryAfterMs, waitIn } from '../retry-after.ts';
import { BFL_FACTS } from './facts.ts';

const REFUSAL_OF_STATUS: ReadonlyMap<number, Refusal> = new Map([
  [400, 'invalid-parameters'],
  [401, 'unauthorized'],
  [402, 'out-of-credits'],
  [403, 'unauthorized'],
  [404, 'not-found'],
  [422, 'invalid-parameters'],
  [429, 'rate-limited'],
]);

const entry = z.object({ msg: z.string(), loc: z.array(z.union([z.string(), z.number()])).optional() });
/** The documentation, clients and BFL's own skills show three forms. All are read, none is relied on. */
const errorSchema = z.object({
  detail: z
    .union([z.string(), z.array(entry).min(1)])
    .optional()
    .catch(undefined),
  message: z.string().optional().catch(undefined),
  error: z.string().optional().catch(undefined),
  retry_after: z.unknown().optional(),
});

/** What the answer says went wrong; undefined where it says nothing of its own. */
export function messageIn(answer: Answer): string | undefined {
  const parsed = errorSchema.safeParse(parseJson(jsonTextOf(answer)));
  if (!parsed.success) return undefined;
  const { detail, message, error } = parsed.data;
  if (Array.isArray(detail))
    return detail.map(({ loc = [], msg }) => [loc.join('.'), msg].filter(Boolean).join(': ')).join('; ');
  return detail || message || error || undefined;
}

/**
 * The refusal in an answer, by its HTTP status: there is no envelope. A 400 in which nobody says what is wrong may be a gateway's, and
 * all 5xx may come after the request was passed on: these are none.
 */
export function refusedBy(answer: Answer, now: number): Refused | undefined {
  const refusal = REFUSAL_OF_STATUS.get(answer.status);
  const said = messageIn(answer);
  if (refusal === undefined || (answer.status === 400 && said === undefined)) return undefined;
  const waitMs = waitIn(answer, BFL_FACTS.limits.headers, now) ?? retryAfterMs(retryAfterIn(answer), now);
  return {
    kind: 'refused',
    refusal,
    code: answer.status,
    message: said ?? `HTTP ${answer.status}`,
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  };
}

function retryAfterIn(answer: Answer): string | undefined {
  const parsed = errorSchema.safeParse(parseJson(jsonTextOf(answer)));
  const seconds = parsed.success ? finiteNumber(parsed.data.retry_after) : undefined;
  return seconds === undefined ? undefined : String(seconds);
}
