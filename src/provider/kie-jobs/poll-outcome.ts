import { z } from 'zod';
import type { FoundSource } from '../../items/sources.ts';
import { type Answer, epochMs, finiteNumber, parseJson, webUrl, withQuote } from '../answer.ts';
import { describeUnreadable, readEnvelope } from '../kie/envelope.ts';
import { refusedBy } from '../kie/refusal.ts';
import type { Failed, FailureClass, PollOutcome } from '../provider.ts';

/** How long a result URL lives: as is planned for, and at the longest. */
export type Lives = { plannedMs: number; longestMs: number };

const text = z
  .union([z.string(), z.number().transform(String)])
  .nullish()
  .catch(undefined);
const recordSchema = z.object({
  state: z.string(),
  resultJson: z.unknown().optional(),
  failCode: text,
  failMsg: text,
  completeTime: z.unknown().optional(),
  /** Seen by many clients in 2026, and documented nowhere. */
  creditsConsumed: z.unknown().optional(),
});
type TaskRecord = z.infer<typeof recordSchema>;

/** Reads the answer to `GET /api/v1/jobs/recordInfo`. */
export function pollOutcome(answer: Answer, now: number, lives: Lives): PollOutcome {
  const read = readEnvelope(answer);
  if (read.kind === 'unreadable') {
    const refused = refusedBy(answer, read, now);
    // A 404 or 422 without an envelope is about the path, or comes from a gateway. It says nothing about the task.
    if (refused !== undefined && ![404, 422].includes(refused.code)) return refused;
    return { kind: 'unreachable', message: describeUnreadable(answer, read) };
  }
  const record = recordSchema.safeParse(read.data);
  if (record.success) return outcomeOf(record.data, answer, lives);
  const { code, message } = read;
  // An unknown id, also for a moment after its creation: 422 "recordInfo is null". 404 is documented, too.
  if (code === 404 || (code === 422 && /null|not (found|exist)/i.test(message))) return { kind: 'not-found', message };
  if (code === 501) return failed(code, message, undefined);
  if (code === 200) return { kind: 'unreachable', message: withQuote('code 200 without a task record', answer) };
  return refusedBy(answer, read, now) ?? { kind: 'unreachable', message };
}

function outcomeOf(record: TaskRecord, answer: Answer, lives: Lives): PollOutcome {
  switch (record.state.trim().toLowerCase()) {
    case 'success':
    case 'completed':
      return succeeded(record, answer, lives);
    case 'fail':
    case 'failed':
      return failed(record.failCode ?? undefined, record.failMsg || 'generation failed', creditsOf(record));
    default:
      // waiting, queuing, generating, and any word that nobody has documented.
      return { kind: 'generating' };
  }
}

function succeeded(record: TaskRecord, answer: Answer, lives: Lives): PollOutcome {
  const [first, ...others] = resultUrls(record.resultJson);
  if (first === undefined) return { kind: 'generating', said: withQuote('it said', answer) };
  const completedAt = epochMs(record.completeTime);
  const credits = creditsOf(record);
  const sourcesAt = (url: string | undefined): FoundSource[] =>
    url === undefined
      ? []
      : [
          { kind: 'stored', url, lifeMs: lives.plannedMs },
          { kind: 'link', url, lifeMs: lives.longestMs },
        ];
  return {
    kind: 'succeeded',
    sources: sourcesAt(first),
    ...(others.length > 0 && { more: others.map((url) => ({ sources: sourcesAt(url) })) }),
    ...(completedAt === undefined ? {} : { completedAt }),
    ...(credits === undefined ? {} : { credits }),
  };
}

/**
 * `{"resultUrls":[…]}` as text; an object is taken as well. One URL an image: models that make several name them all. What is no URL
 * comes last, so that it is missed, and the image that is there is the item's own.
 */
function resultUrls(resultJson: unknown): (string | undefined)[] {
  const result = typeof resultJson === 'string' ? parseJson(resultJson) : resultJson;
  const parsed = z.object({ resultUrls: z.array(z.unknown()) }).safeParse(result);
  const all = (parsed.data?.resultUrls ?? []).map((value) => webUrl(value));
  const urls = all.filter((url) => url !== undefined);
  return [...new Set(urls), ...all.filter((url) => url === undefined)];
}

function creditsOf({ creditsConsumed }: TaskRecord): number | undefined {
  const credits = finiteNumber(creditsConsumed);
  return credits !== undefined && credits >= 0 ? credits : undefined;
}

/** Which codes mean the content policy is documented nowhere: what they and their messages say. */
const POLICY = /sensitive|moderat|content.?policy|policy violation|nsfw|prohibited|unsafe|flagged/i;

/** The documentation of callbacks says that a failed task consumes nothing, that of polls does not: what is not told is unknown. */
function failed(failCode: string | number | undefined, message: string, credits: number | undefined): Failed {
  const code = finiteNumber(failCode);
  const isPolicy = code === 400 || POLICY.test(String(failCode ?? '')) || POLICY.test(message);
  const reason: FailureClass = isPolicy ? 'content-policy' : 'generation-failed';
  const word = code === undefined && failCode ? `${failCode}: ` : '';
  return {
    kind: 'failed',
    reason,
    charged: credits === undefined ? 'unknown' : credits > 0 ? 'yes' : 'no',
    message: `${word}${message}`,
    ...(code === undefined ? {} : { code }),
    ...(credits === undefined ? {} : { credits }),
  };
}
