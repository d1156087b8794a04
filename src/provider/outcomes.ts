import { taskIdIn } from '../items/task-id.ts';
import { type Answer, describeUnreadable, jsonTextOf, parseJson, readEnvelope, withQuote } from './envelope.ts';
import type { CreditsOutcome, LinkOutcome, SubmitOutcome } from './provider.ts';
import { refusedBy } from './refusal.ts';

/**
 * Reads the answer to a submit, by "Unknown outcomes of a submit" of the API notes. Accepted: only code 200 with a task
 * id, or such an id where there is no code. Refused: only a code that is known to refuse. Everything else is unknown, and may have
 * been charged.
 */
export function submitOutcome(answer: Answer, now: number): SubmitOutcome {
  const read = readEnvelope(answer);
  const json = parseJson(jsonTextOf(answer));
  if (read.kind === 'envelope' ? read.code === 200 : isWithoutCode(json, answer)) {
    const taskId = taskIdIn(json, answer.text);
    if (taskId !== undefined) return { kind: 'accepted', taskId };
  }
  if (read.kind === 'envelope' && read.code === 200)
    return { kind: 'unknown', code: 200, message: withQuote('code 200 without a task id that we know', answer) };
  const refused = refusedBy(answer, read, now);
  if (refused !== undefined) return refused;
  if (read.kind === 'unreadable') return { kind: 'unknown', message: describeUnreadable(answer, read) };
  return { kind: 'unknown', code: read.code, message: read.message };
}

/** What has no code may be a reseller's own answer. Where it has a task id, a task was started. */
function isWithoutCode(json: unknown, { status }: Answer): boolean {
  return typeof json === 'object' && json !== null && !('code' in json) && status >= 200 && status < 300;
}

/** Reads the answer to `POST /api/v1/common/download-url`: the envelope's `data` is the link itself. */
export function linkOutcome(answer: Answer, now: number): LinkOutcome {
  const read = readEnvelope(answer);
  if (read.kind === 'envelope' && read.code === 404) return { kind: 'not-found', message: read.message };
  if (read.kind === 'envelope' && read.code === 200) {
    const url = webUrl(read.data);
    return url === undefined
      ? { kind: 'unreachable', message: withQuote('code 200 without a link', answer) }
      : { kind: 'link', url };
  }
  const refused = refusedBy(answer, read, now);
  if (refused !== undefined) return refused;
  return { kind: 'unreachable', message: read.kind === 'envelope' ? read.message : describeUnreadable(answer, read) };
}

/** Reads the answer to `GET /api/v1/chat/credit`: the envelope's `data` is the number of remaining credits. */
export function creditsOutcome(answer: Answer, now: number): CreditsOutcome {
  const read = readEnvelope(answer);
  if (read.kind === 'envelope' && read.code === 200) {
    const credits = finiteNumber(read.data);
    return credits === undefined
      ? { kind: 'unreachable', message: withQuote('code 200 without a number of credits', answer) }
      : { kind: 'credits', credits };
  }
  const refused = refusedBy(answer, read, now);
  if (refused !== undefined) return refused;
  return { kind: 'unreachable', message: read.kind === 'envelope' ? read.message : describeUnreadable(answer, read) };
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
