import { UsageError } from '../errors.ts';
import { makeAgainQuestion } from '../plan/questions.ts';
import { say } from '../text/terminal.ts';
import type { Connections } from '../wiring/connections.ts';
import type { Spending } from './agree-to-spend.ts';
import { agrees, canAsk } from './ask.ts';

/**
 * An edit of `defaults`, or a new name, makes anew what is archived. Asks a person before that is done to more than a fifth of it.
 * Throws a UsageError (`remake-unconfirmed`) if nobody can be asked.
 */
export async function agreesToMakeAgain(
  connections: Pick<Connections, 'records' | 'state'>,
  spending: Spending,
  flags: { yes?: true },
): Promise<boolean> {
  const question = await makeAgainQuestion(connections, spending);
  if (!question) return true;
  const { message } = question;
  if (flags.yes) {
    say(`note: ${message}`);
    return true;
  }
  if (spending.stdinIsTaken || !canAsk()) {
    throw new UsageError('remake-unconfirmed', message, {
      hint: 'Is the edit meant to reach all of them? flux-batch plan shows the difference. Nobody is here to be asked: say --yes to make them anew.',
    });
  }
  return agrees(`${message}. Go on?`, flags);
}
