import { openDrops } from '../archive/open-drops.ts';
import type { Config } from '../config.ts';
import { UsageError } from '../errors.ts';
import { type OnTaken, watchInbox } from '../inbox/watch-inbox.ts';
import { creditsIn } from '../money/budget.ts';
import { proxyRules } from '../network/proxy.ts';
import type { Connections } from './connections.ts';

/** Throws a UsageError (`inbox-missing`). */
export function inboxUrlOf({ inbox }: Pick<Config, 'inbox'>): string {
  if (inbox.url !== undefined) return inbox.url;
  throw new UsageError('inbox-missing', 'No inbox is named', {
    hint: 'Give a folder or s3://bucket/prefix, or set INBOX_URL.',
  });
}

/** Looks at the inbox of the configuration until the signal aborts. What one drop may cost is CONFIRM_CREDITS where nothing else is said. */
export async function runInbox(
  connections: Connections,
  { signal, onTaken }: { signal: AbortSignal; onTaken: OnTaken },
): Promise<void> {
  const { config } = connections;
  const place = openDrops({ ...config.s3, url: inboxUrlOf(config), proxyFor: proxyRules(config.proxy) });
  try {
    const { budgetEach, budgetTotal, restMs } = config.inbox;
    const { prices } = connections;
    const allowance = {
      each: budgetEach ? creditsIn(budgetEach, prices) : config.confirmCredits,
      aDay: budgetTotal && creditsIn(budgetTotal, prices),
    };
    await watchInbox(place, connections, { allowance, restMs }, { signal, onTaken });
  } finally {
    await place.close();
  }
}
