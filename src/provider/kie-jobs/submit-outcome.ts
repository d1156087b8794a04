import { taskIdIn } from '../../items/task-id.ts';
import { type Answer, jsonTextOf, parseJson, withQuote } from '../answer.ts';
import { describeUnreadable, readEnvelope } from '../kie/envelope.ts';
import { refusedBy } from '../kie/refusal.ts';
import type { SubmitOutcome } from '../provider.ts';

/** Seen in August 2026 as code 500: validation, and nothing is created. Any other 500 is an unknown outcome. */
const FIELD_REQUIRED = /^\W?[\w.[\]-]{1,60}\W? is required\.?$/i;

/**
 * Reads the answer to `POST /api/v1/jobs/createTask`. Accepted: only code 200 with a task id. Refused: only what is known to refuse.
 * Everything else is unknown, and may have been charged.
 */
export function submitOutcome(answer: Answer, now: number): SubmitOutcome {
  const read = readEnvelope(answer);
  if (read.kind === 'envelope' && read.code === 200) {
    const handle = taskIdIn(parseJson(jsonTextOf(answer)), answer.text);
    if (handle !== undefined) return { kind: 'accepted', handle };
    return { kind: 'unknown', code: 200, message: withQuote('code 200 without a task id that we know', answer) };
  }
  if (read.kind === 'unreadable')
    return refusedBy(answer, read, now) ?? { kind: 'unknown', message: describeUnreadable(answer, read) };
  const { code, message } = read;
  // "The model name you specified is not supported" came with 404 at a time: that is no wrong address, which would stop the fleet.
  const isAboutModel = code === 404 && /\bmodel\b/i.test(message);
  if (isAboutModel || (code === 500 && FIELD_REQUIRED.test(message.trim())))
    return { kind: 'refused', refusal: 'invalid-parameters', code, message };
  return refusedBy(answer, read, now) ?? { kind: 'unknown', code, message };
}
