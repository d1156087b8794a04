import { UsageError } from '../errors.ts';
import { describeDifference, isMuchMadeAgain, madeAgain } from '../plan/describe-difference.ts';
import { type Difference, differenceOf } from '../plan/difference.ts';
import { say } from '../text/terminal.ts';
import type { Connections } from '../wiring/connections.ts';
import type { Spending } from './agree-to-spend.ts';
import { agrees, canAsk } from './ask.ts';

/**
 * An edit of `defaults`, or a new name, makes anew what is archived. Asks a person before that is done to more than a fifth of it.
 * Throws a UsageError (`remake-unconfirmed`) if nobody can be asked.
 */
export async function agreesToMakeAgain(
  { records, state }: Pick<Connections, 'records' | 'state'>,
  { batch, items, isPart, stdinIsTaken }: Spending,
  flags: { yes?: true },
): Promise<boolean> {
  const difference = await differenceOf(batch, items(), { records, isPart, states: state.intake.states });
  if (!isMuchMadeAgain(difference)) return true;
  const what = describeRemake(batch, difference);
  if (flags.yes) {
    say(`note: ${what}`);
    return true;
  }
  if (stdinIsTaken || !canAsk()) {
    throw new UsageError('remake-unconfirmed', what, {
      hint: 'Is the edit meant to reach all of them? flux-batch plan shows the difference. Nobody is here to be asked: say --yes to make them anew.',
    });
  }
  return agrees(`${what}. Go on?`, flags);
}

function describeRemake(batch: string, difference: Difference): string {
  const again = madeAgain(difference).toLocaleString('en-US');
  const recorded = difference.recorded.toLocaleString('en-US');
  return `${batch}: ${again} of ${recorded} archived images would be made, and paid for, again: ${describeDifference(difference).join('; ')}`;
}
