import { z } from 'zod';
import { TASK_ID } from '../../items/task-id.ts';
import { type Answer, finiteNumber, jsonTextOf, parseJson, withQuote } from '../answer.ts';
import type { SubmitOutcome } from '../provider.ts';
import { messageIn, refusedBy } from './error-answer.ts';

const acceptedSchema = z.object({
  id: z.string().trim().regex(TASK_ID),
  polling_url: z.unknown().optional(),
  cost: z.unknown().optional(),
});

/** Polling URLs have about a hundred characters. */
const MOST_OF_HANDLE = 1_000;

/** Reads the answer to `POST /v1/<model>`. Accepted: a 2xx with an id. Everything that neither accepts nor refuses is unknown. */
export function submitOutcome(answer: Answer, isOurs: (url: string) => boolean, now: number): SubmitOutcome {
  const isGood = answer.status >= 200 && answer.status < 300;
  const accepted = acceptedSchema.safeParse(parseJson(jsonTextOf(answer)));
  if (isGood && accepted.success) {
    const { id, polling_url: url, cost } = accepted.data;
    const credits = finiteNumber(cost);
    // With a webhook there is none. One at a host that is not the provider's is not followed.
    const isUsable = typeof url === 'string' && url.length <= MOST_OF_HANDLE && isOurs(url);
    return {
      kind: 'accepted',
      handle: isUsable ? url : id,
      ...(credits === undefined || credits < 0 ? {} : { credits }),
    };
  }
  if (isGood) return { kind: 'unknown', code: answer.status, message: withQuote('an answer without an id', answer) };
  const refused = refusedBy(answer, now);
  if (refused) return refused;
  const message = messageIn(answer) ?? withQuote(`HTTP ${answer.status}`, answer);
  return { kind: 'unknown', code: answer.status, message };
}
