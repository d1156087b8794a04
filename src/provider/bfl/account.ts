import { z } from 'zod';
import { type Answer, finiteNumber, jsonTextOf, parseJson, withQuote } from '../answer.ts';
import type { CreditsOutcome } from '../provider.ts';
import { refusedBy } from './error-answer.ts';

/** Reads the answer to `GET /v1/credits`. A credit is worth a cent. */
export function creditsOutcome(answer: Answer, now: number): CreditsOutcome {
  const read = z.object({ credits: z.unknown() }).safeParse(parseJson(jsonTextOf(answer)));
  const credits = read.success && answer.status === 200 ? finiteNumber(read.data.credits) : undefined;
  if (credits !== undefined) return { kind: 'credits', credits };
  return (
    refusedBy(answer, now) ?? {
      kind: 'unreachable',
      message: withQuote(`HTTP ${answer.status} without a number of credits`, answer),
    }
  );
}
