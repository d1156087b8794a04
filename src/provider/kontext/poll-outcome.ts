import { z } from 'zod';
import type { FoundSource } from '../../items/sources.ts';
import { type Answer, epochMs, finiteNumber, parseJson, webUrl, withQuote } from '../answer.ts';
import { describeUnreadable, readEnvelope } from '../kie/envelope.ts';
import { refusedBy } from '../kie/refusal.ts';
import type { FailureClass, PollOutcome } from '../provider.ts';

/** How long the two copies of an image live after its completion. */
export type Lives = { originMs: number; storedMs: number };

/**
 * `data` of `record-info`. The types are loose on purpose: the flag has been seen as a string, and `response` as an
 * object, as JSON text and as null.
 */
const recordSchema = z.object({
  successFlag: z.unknown().optional(),
  response: z.unknown().optional(),
  completeTime: z.unknown().optional(),
  errorCode: z.unknown().optional(),
  paramJson: z.unknown().optional(),
  errorMessage: z.string().nullish().catch(undefined),
});
type TaskRecord = z.infer<typeof recordSchema>;

/** Reads the answer to `GET /api/v1/flux/kontext/record-info`. */
export function pollOutcome(answer: Answer, now: number, lives: Lives): PollOutcome {
  const read = readEnvelope(answer);
  const outcome = outcomeOf(read, answer, now, lives);
  if (outcome.kind !== 'generating' && outcome.kind !== 'succeeded' && outcome.kind !== 'failed') return outcome;
  const prompt = read.kind === 'envelope' ? promptIn(read.data) : undefined;
  return prompt === undefined ? outcome : { ...outcome, prompt };
}

function outcomeOf(read: ReturnType<typeof readEnvelope>, answer: Answer, now: number, lives: Lives): PollOutcome {
  if (read.kind === 'unreadable') {
    const refused = refusedBy(answer, read, now);
    // A 404 or 422 without an envelope is about the path, or comes from a gateway. It says nothing about the task.
    if (refused !== undefined && ![404, 422].includes(refused.code)) return refused;
    return { kind: 'unreachable', message: describeUnreadable(answer, read) };
  }
  const record = recordSchema.safeParse(read.data);
  const flag = record.success ? finiteNumber(record.data.successFlag) : undefined;
  // A failed task may come with a code of its own (400, 501) or with 200. The flag decides.
  if (record.success && (flag === 2 || flag === 3)) return failed(flag, record.data, read.code, read.message);
  if (read.code === 501) return failure(501, read.message);
  if (read.code === 404) return { kind: 'not-found', message: read.message };
  if (read.code !== 200) return refusedBy(answer, read, now) ?? { kind: 'unreachable', message: read.message };
  if (!record.success) return { kind: 'unreachable', message: withQuote('code 200 without a task record', answer) };
  if (flag === 0) return { kind: 'generating' };
  if (flag === 1) return succeeded(record.data, answer, lives);
  return { kind: 'unreachable', message: withQuote('a task record without a success flag that we know', answer) };
}

function failed(flag: 2 | 3, record: TaskRecord, envelopeCode: number, envelopeMessage: string): PollOutcome {
  const code = finiteNumber(record.errorCode) ?? (envelopeCode === 200 ? undefined : envelopeCode);
  const said = record.errorMessage || (envelopeCode === 200 ? undefined : envelopeMessage);
  const message = said ?? (flag === 2 ? 'creating the task failed' : 'generation failed');
  return failure(code, message);
}

/** Whether a failed task is charged is not documented. A code of 400 is the content policy's, of the prompt or of the image. */
function failure(code: number | undefined, message: string): PollOutcome {
  const reason: FailureClass = code === 400 ? 'content-policy' : 'generation-failed';
  return { kind: 'failed', reason, charged: 'unknown', message, ...(code === undefined ? {} : { code }) };
}

/** A success without any URL counts as still generating. The API shows this state for a moment. */
function succeeded(record: TaskRecord, answer: Answer, lives: Lives): PollOutcome {
  const response = typeof record.response === 'string' ? parseJson(record.response) : record.response;
  const urls = z
    .object({ originImageUrl: z.unknown().optional(), resultImageUrl: z.unknown().optional() })
    .safeParse(response);
  const originUrl = urls.success ? webUrl(urls.data.originImageUrl) : undefined;
  const storedUrl = urls.success ? webUrl(urls.data.resultImageUrl) : undefined;
  if (originUrl === undefined && storedUrl === undefined)
    return isBare(response) ? { kind: 'generating' } : { kind: 'generating', said: withQuote('it said', answer) };
  const completedAt = epochMs(record.completeTime);
  return {
    kind: 'succeeded',
    sources: sourcesAt(originUrl, storedUrl, lives),
    ...(completedAt === undefined ? {} : { completedAt }),
  };
}

/** `paramJson` repeats the body of the submit, as JSON text. */
function promptIn(data: unknown): string | undefined {
  const record = recordSchema.safeParse(data);
  const { paramJson } = record.data ?? {};
  const parameters = typeof paramJson === 'string' ? parseJson(paramJson) : paramJson;
  const read = z.object({ prompt: z.string() }).safeParse(parameters);
  return read.data?.prompt;
}

/** The stored copy has a temporary link as well, to be asked for. */
function sourcesAt(origin: string | undefined, stored: string | undefined, lives: Lives): FoundSource[] {
  return [
    ...(origin === undefined ? [] : [{ kind: 'origin' as const, url: origin, lifeMs: lives.originMs }]),
    ...(stored === undefined
      ? []
      : (['stored', 'link'] as const).map((kind) => ({ kind, url: stored, lifeMs: lives.storedMs }))),
  ];
}

/** Nothing, or the fields that we know without values. */
function isBare(response: unknown): boolean {
  if (typeof response !== 'object' || response === null) return !response;
  return Object.entries(response).every(
    ([key, value]) => (!value || value === 'null') && /^(?:originImageUrl|resultImageUrl)$/.test(key),
  );
}
