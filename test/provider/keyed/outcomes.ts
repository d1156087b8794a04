import { z } from 'zod';
import { type Answer, finiteNumber, jsonTextOf, parseJson, webUrl, withQuote } from '../../../src/provider/answer.ts';
import type {
  CreditsOutcome,
  Failed,
  PollOutcome,
  Refusal,
  Refused,
  SubmitOutcome,
  Succeeded,
} from '../../../src/provider/provider.ts';
import { waitIn } from '../../../src/provider/retry-after.ts';
import { KEYED_FACTS } from './facts.ts';

const REFUSALS: ReadonlyMap<number, Refusal> = new Map([
  [400, 'content-policy'],
  [401, 'unauthorized'],
  [402, 'out-of-credits'],
  [422, 'invalid-parameters'],
  [429, 'rate-limited'],
  [455, 'maintenance'],
]);

const taskSchema = z.object({
  request_id: z.string().min(1).max(200),
  status: z.string(),
  price: z.unknown().optional(),
  output: z.unknown().optional(),
  error: z.unknown().optional(),
});
type Told = z.infer<typeof taskSchema>;
const errorSchema = z.object({ error: z.object({ type: z.string(), message: z.string() }) });
const outputSchema = z.object({ images: z.array(z.object({ url: z.unknown(), expires_in: z.unknown().optional() })) });

const read = (answer: Answer): unknown => parseJson(jsonTextOf(answer));
const isGood = ({ status }: Answer): boolean => status === 200 || status === 202;

/** Accepted: a 200 or 202 that names a task, with the result where that is there already. Refused: what says so. Else unknown. */
export function submitOutcome(answer: Answer, now: number): SubmitOutcome {
  const task = taskSchema.safeParse(read(answer));
  if (!isGood(answer) || !task.success)
    return refusedBy(answer, now) ?? { kind: 'unknown', code: answer.status, message: withQuote('no task', answer) };
  const handle = task.data.request_id;
  const ended = endOf(task.data, handle);
  const credits = priceOf(task.data);
  return { kind: 'accepted', handle, ...(credits !== undefined && { credits }), ...(ended && { ended }) };
}

export function pollOutcome(answer: Answer, handle: string, now: number): PollOutcome {
  const task = taskSchema.safeParse(read(answer));
  if (isGood(answer) && task.success) {
    const ended = endOf(task.data, handle);
    if (ended) return ended;
    return task.data.status === 'done'
      ? { kind: 'generating', said: withQuote('it said', answer) }
      : { kind: 'generating' };
  }
  const error = errorSchema.safeParse(read(answer));
  if (answer.status === 404 && error.success) return { kind: 'not-found', message: error.data.error.message };
  const refused = refusedBy(answer, now);
  if (refused && (refused.refusal === 'rate-limited' || refused.refusal === 'unauthorized')) return refused;
  return { kind: 'unreachable', message: withQuote(`HTTP ${answer.status}`, answer) };
}

export function balanceOutcome(answer: Answer, now: number): CreditsOutcome {
  const parsed = z.object({ balance: z.unknown() }).safeParse(read(answer));
  const credits = parsed.success && answer.status === 200 ? finiteNumber(parsed.data.balance) : undefined;
  if (credits !== undefined) return { kind: 'credits', credits };
  return refusedBy(answer, now) ?? { kind: 'unreachable', message: withQuote('no balance', answer) };
}

function endOf(task: Told, handle: string): Succeeded | Failed | undefined {
  const credits = priceOf(task);
  const cost = credits === undefined ? {} : { credits };
  if (task.status === 'failed') {
    const error = errorSchema.safeParse(task);
    const { type, message } = error.success ? error.data.error : { type: '', message: 'generation failed' };
    const reason = type === 'policy' ? 'content-policy' : 'generation-failed';
    return { kind: 'failed', reason, charged: 'no', message, ...cost };
  }
  if (task.status !== 'done') return undefined;
  const output = outputSchema.safeParse(typeof task.output === 'string' ? parseJson(task.output) : task.output);
  const [image] = output.success ? output.data.images : [];
  const url = webUrl(image?.url);
  if (url === undefined) return undefined;
  const lifeMs = (finiteNumber(image?.expires_in) ?? 600) * 1_000;
  return {
    kind: 'succeeded',
    sources: [
      { kind: 'origin', url, lifeMs },
      { kind: 'link', url: handle },
    ],
    ...cost,
  };
}

function priceOf({ price }: Told): number | undefined {
  const credits = finiteNumber(price);
  return credits !== undefined && credits >= 0 ? credits : undefined;
}

/** A refusal says so in words of the API's own, or is one of its statuses. All 5xx may come after the request was passed on. */
function refusedBy(answer: Answer, now: number): Refused | undefined {
  const refusal = REFUSALS.get(answer.status);
  if (refusal === undefined) return undefined;
  const error = errorSchema.safeParse(read(answer));
  const waitMs = waitIn(answer, KEYED_FACTS.limits.headers, now);
  const message = error.success ? error.data.error.message : `HTTP ${answer.status}`;
  return {
    kind: 'refused',
    refusal,
    code: answer.status,
    message,
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  };
}
