import { setTimeout as sleep } from 'node:timers/promises';
import type { Presence } from '../redis/presence.ts';

/** Queues wait without end for a Redis that is away, and whoever asks us must not. */
const PATIENCE_MS = 5_000;

type Away = NonNullable<ReturnType<Presence['away']>>;

/** What was asked for; or that Redis is away, where it was known before or nothing came. */
export async function unlessAway<T>(
  presence: Presence,
  ask: () => Promise<T>,
): Promise<{ answer: T } | { away: Away }> {
  const known = presence.away();
  if (known) return { away: known };
  const asked = ask().then((answer) => ({ answer }));
  // It may fail when nobody waits for it any more.
  asked.catch(() => {});
  const patience = new AbortController();
  try {
    const late = sleep(PATIENCE_MS, undefined, { signal: patience.signal, ref: false }).catch(() => undefined);
    const away = { since: Date.now(), message: 'it does not answer' };
    return (await Promise.race([asked, late])) ?? { away: presence.away() ?? away };
  } finally {
    patience.abort();
  }
}
