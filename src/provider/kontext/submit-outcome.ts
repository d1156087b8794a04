import { taskIdIn } from '../../items/task-id.ts';
import { type Answer, jsonTextOf, parseJson, withQuote } from '../answer.ts';
import { describeUnreadable, readEnvelope } from '../kie/envelope.ts';
import { refusedBy } from '../kie/refusal.ts';
import type { SubmitOutcome } from '../provider.ts';

/**
 * Reads the answer to a submit, by "Unknown outcomes of a submit" of the API notes. Accepted: only code 200 with a task
 * id, or such an id where there is no code. Refused: only a code that is known to refuse. Everything else is unknown, and may have
 * been charged.
 */
export function submitOutcome(answer: Answer, now: number): SubmitOutcome {
  const read = readEnvelope(answer);
  const json = parseJson(jsonTextOf(answer));
  if (read.kind === 'envelope' ? read.code === 200 : isWithoutCode(json, answer)) {
    const handle = taskIdIn(json, answer.text);
    if (handle !== undefined) return { kind: 'accepted', handle };
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
