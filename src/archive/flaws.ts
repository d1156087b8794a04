import { z } from 'zod';
import { messageOf } from '../errors.ts';

const MOST_FLAWS = 3;

/** Why a JSON file of an archive cannot be read, in words, and not as the parser has it. `what`: `a record`. */
export function whyUnreadable(thrown: unknown, text: string, what: string): string {
  if (!(thrown instanceof z.ZodError))
    return text.trim() === '' ? 'the file is empty' : `it is no JSON, as when it is cut off: ${messageOf(thrown)}`;
  const flaws = thrown.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  const more = flaws.length > MOST_FLAWS ? `; and ${flaws.length - MOST_FLAWS} more` : '';
  return `it is not ${what} of ours: ${flaws.slice(0, MOST_FLAWS).join('; ')}${more}`;
}
