import type { BatchLook } from '../batch/batch-look.ts';
import type { Connections } from '../wiring/connections.ts';
import { agreesToMakeAgain } from './agree-to-make-again.ts';
import { agreesToRemake } from './agree-to-remake.ts';
import { agreesToSpend, type Spending } from './agree-to-spend.ts';

/**
 * All that a person is asked before a manifest is enqueued, in this order: what is lost, what would be made again, what it costs.
 * Undefined when one of them is declined; `remake`: what is lost may be paid for again. Throws as each of them does.
 */
export async function agreesToAll(
  connections: Connections & { look?: BatchLook },
  spending: Spending,
  flags: { yes?: true },
): Promise<{ remake: boolean } | undefined> {
  const remaking = await agreesToRemake(connections, spending, flags);
  if (remaking === 'declined') return undefined;
  if (!(await agreesToMakeAgain(connections, spending, flags))) return undefined;
  if (!(await agreesToSpend(connections, spending, flags))) return undefined;
  return { remake: remaking === 'agreed' };
}
