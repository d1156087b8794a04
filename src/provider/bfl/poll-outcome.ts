import { z } from 'zod';
import { type Answer, epochMs, finiteNumber, jsonTextOf, parseJson, webUrl, withQuote } from '../answer.ts';
import type { PollOutcome } from '../provider.ts';
import { messageIn, refusedBy } from './error-answer.ts';

/** How long a `sample` lives, by the documentation. */
export const ORIGIN_LIFE_MS = 600_000;

const resultSchema = z.object({
  status: z.string(),
  result: z.object({ sample: z.unknown().optional(), end_time: z.unknown().optional() }).nullish().catch(undefined),
  details: z.unknown().optional(),
  /** At the top level, as one client has it. */
  cost: z.unknown().optional(),
});
type Result = z.infer<typeof resultSchema>;

/** Reads the answer to a polling URL. `handle`: what another poll for a new URL goes by. */
export function pollOutcome(answer: Answer, handle: string, now: number): PollOutcome {
  const read = resultSchema.safeParse(parseJson(jsonTextOf(answer)));
  // The HTTP status of a task that is not found is not documented: what the body says goes first.
  if (read.success) return outcomeOf(read.data, answer, handle);
  const said = messageIn(answer);
  if (answer.status === 404 && said !== undefined) return { kind: 'not-found', message: said };
  const refused = refusedBy(answer, now);
  // A 404 without a word of the provider's is about the path, or comes from a gateway.
  if (refused && ![400, 404, 422].includes(refused.code)) return refused;
  return {
    kind: 'unreachable',
    message: said ?? withQuote(`HTTP ${answer.status} without a status that we know`, answer),
  };
}

function outcomeOf(result: Result, answer: Answer, handle: string): PollOutcome {
  const status = result.status.trim().toLowerCase();
  const credits = costOf(result);
  const cost = credits === undefined ? {} : { credits };
  const message = [result.status.trim(), detailsOf(result)].filter(Boolean).join(': ');
  switch (status) {
    case 'ready':
      return succeeded(result, answer, handle);
    // Neither is charged (help page, June 2026).
    case 'request moderated':
      return { kind: 'failed', reason: 'content-policy', stage: 'input', charged: 'no', message };
    case 'content moderated':
      return { kind: 'failed', reason: 'content-policy', stage: 'output', charged: 'no', message };
    // Unknown, or expired: after a success that was never read it looks the same.
    case 'task not found':
      return { kind: 'not-found', message };
    case 'error':
    case 'failed':
      return { kind: 'failed', reason: 'generation-failed', charged: 'unknown', message, ...cost };
    default:
      return { kind: 'generating' };
  }
}

function succeeded(result: Result, answer: Answer, handle: string): PollOutcome {
  const url = webUrl(result.result?.sample);
  if (url === undefined) return { kind: 'generating', said: withQuote('it said', answer) };
  const completedAt = timeOf(result.result?.end_time);
  const credits = costOf(result);
  return {
    kind: 'succeeded',
    sources: [
      { kind: 'origin', url, lifeMs: ORIGIN_LIFE_MS },
      { kind: 'link', url: handle },
    ],
    ...(completedAt === undefined ? {} : { completedAt }),
    ...(credits === undefined ? {} : { credits }),
  };
}

function costOf({ cost }: Result): number | undefined {
  const credits = finiteNumber(cost);
  return credits !== undefined && credits >= 0 ? credits : undefined;
}

/** Only `sample` of a result is sure. Its times have been seen as epoch seconds. */
function timeOf(value: unknown): number | undefined {
  const number = finiteNumber(value);
  return number !== undefined && number < 1e11 ? epochMs(Math.round(number * 1_000)) : epochMs(value);
}

function detailsOf({ details }: Result): string {
  if (details === null || details === undefined) return '';
  return typeof details === 'string' ? details : JSON.stringify(details);
}
