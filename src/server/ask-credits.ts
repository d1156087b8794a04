import { redisCredits } from '../fleet/credits.ts';
import type { Connections } from '../wiring/connections.ts';
import { hasKey } from '../wiring/lane-ports.ts';
import { notingCredits } from '../wiring/noting-credits.ts';
import { openProvider } from '../wiring/open-provider.ts';

const EVERY_MS = 60_000;
const TIMEOUT_MS = 3_000;

/**
 * Asks each account that this process has the key of what it has left, once a minute at most; where it does not answer, what it said last
 * stays. Who asks meanwhile waits for the same answers.
 */
export function creditsOnceAMinute(connections: Connections): () => Promise<void> {
  const { redis, clock, lanes } = connections;
  const accounts = lanes
    .filter(hasKey)
    .map(({ lane, keys }) =>
      notingCredits(openProvider(connections, lane.vendor, lane), redisCredits(redis, keys, clock)),
    );
  let asked: Promise<unknown> = Promise.resolve();
  let askedAt = Number.NEGATIVE_INFINITY;
  return async () => {
    if (performance.now() - askedAt >= EVERY_MS) {
      askedAt = performance.now();
      asked = Promise.all(accounts.map((account) => account.credits({ signal: AbortSignal.timeout(TIMEOUT_MS) })));
    }
    await asked;
  };
}
