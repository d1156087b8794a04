import type { BatchLook } from '../batch/batch-look.ts';
import { UsageError } from '../errors.ts';
import { STDIN } from '../manifest/load.ts';
import { expand, type Manifest, type Totals } from '../manifest/manifest.ts';
import { isPart } from '../manifest/selection.ts';
import { type Cost, costOf, countOf } from '../money/estimate.ts';
import { spendQuestion, type Wanted, waitingOf } from '../plan/questions.ts';
import { plural, say } from '../text/terminal.ts';
import type { Connections } from '../wiring/connections.ts';
import { agrees, canAsk } from './ask.ts';

export type Spending = Wanted & {
  /** The manifest is read from stdin, so an answer cannot be. */
  stdinIsTaken: boolean;
};

export function spendingOf(manifest: Manifest, { byModel }: Totals): Spending {
  const { batch, file, selection } = manifest;
  return { batch, items: () => expand(manifest), byModel, isPart: isPart(selection), stdinIsTaken: file === STDIN };
}

/**
 * Asks a person for confirmation before more than CONFIRM_CREDITS are spent. Only items that are not submitted yet count,
 * and the budget caps the amount. Returns true without asking below that amount, or with `--yes`. Throws a UsageError
 * (`spending-unconfirmed`) if nobody can be asked.
 */
export async function agreesToSpend(
  connections: Pick<Connections, 'archive' | 'config' | 'prices' | 'clock' | 'records' | 'state'> & {
    look?: BatchLook;
  },
  spending: Spending,
  flags: { yes?: true },
): Promise<boolean> {
  const { config, prices } = connections;
  const waiting = await waitingOf(connections, spending);
  tellWaiting(spending.batch, waiting, costOf(waiting, prices));
  if (flags.yes) return true;
  const question = await spendQuestion(connections, spending, waiting);
  if (!question) return true;

  if (spending.stdinIsTaken || !canAsk()) {
    throw new UsageError(
      'spending-unconfirmed',
      `${question.message}, more than CONFIRM_CREDITS=${config.confirmCredits}`,
      {
        hint: spending.stdinIsTaken
          ? 'The answer cannot be read from stdin, where the manifest is: say --yes, or set a higher CONFIRM_CREDITS.'
          : 'Nobody is here to be asked: say --yes, or set a higher CONFIRM_CREDITS.',
      },
    );
  }
  return agrees(`${question.message}. Go on?`, flags);
}

/** They are paid for too, whatever the manifest says now. */
function tellWaiting(batch: string, waiting: Readonly<Record<string, number>>, { credits }: Cost): void {
  const count = countOf(waiting);
  if (count === 0) return;
  const price = credits === undefined ? '' : `, for ${credits.toLocaleString('en-US')} credits`;
  say(
    `note: ${batch}: ${plural(count, 'item')} of earlier runs that ${count === 1 ? 'is' : 'are'} not asked for now ${count === 1 ? 'waits' : 'wait'} and will be made too${price}; flux-batch cancel ${batch} ends what waits`,
  );
}
