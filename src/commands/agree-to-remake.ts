import { archiveLost, describeLost, lostItems } from '../batch/lost-items.ts';
import { say } from '../text/terminal.ts';
import type { Connections } from '../wiring/connections.ts';
import type { Spending } from './agree-to-spend.ts';
import { agrees, canAsk } from './ask.ts';

/**
 * What had ended and is gone from the archive was paid for once. Asks a person before it is paid for again. Returns
 * `nothing-lost`, or whether it may be made again. Throws a UsageError (`archive-lost`) if nobody can be asked.
 */
export async function agreesToRemake(
  connections: Pick<Connections, 'records' | 'state' | 'archive' | 'prices'>,
  { batch, items, stdinIsTaken }: Spending,
  flags: { yes?: true },
): Promise<'nothing-lost' | 'agreed' | 'declined'> {
  const lost = await lostItems(connections, batch, items());
  if (!lost) return 'nothing-lost';
  const what = describeLost(batch, lost, connections);
  if (flags.yes) {
    say(`warning: ${what}`);
    return 'agreed';
  }
  if (stdinIsTaken || !canAsk()) {
    throw archiveLost(
      what,
      'Is it the right archive (--archive, ARCHIVE_URL)? Put the folder back if you can. To pay for them again, say --yes.',
    );
  }
  return (await agrees(`${what}. Go on?`, flags)) ? 'agreed' : 'declined';
}
