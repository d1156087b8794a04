import type { CallbackTokens } from '../callbacks/token.ts';
import { type LastSuccess, redisLastSuccess } from '../fleet/last-success.ts';
import { redisMetrics } from '../fleet/metrics.ts';
import { redisPollHints } from '../fleet/poll-hints.ts';
import type { Metrics } from '../metrics/definitions.ts';
import type { Prices } from '../money/prices.ts';
import { pollNow } from '../queue/poll-now.ts';
import { type Presence, watchPresence } from '../redis/presence.ts';
import type { CallbackPorts } from '../stages/callback.ts';
import { openSnapshots } from '../status/snapshot.ts';
import { isLoopbackUrl } from '../text/loopback.ts';
import type { Connections } from '../wiring/connections.ts';
import { callbacksOf, hasKey, type KeyedLane } from '../wiring/lane-ports.ts';
import { openLimiters, type WatchedLimiters } from '../wiring/lanes.ts';
import { creditsOnceAMinute } from './ask-credits.ts';
import { unlessAway } from './unless-away.ts';

/**
 * Everything that the server needs. Of accounts that it has no API key of it takes no callbacks, and asks for no credits.
 */
export type Serving = WatchedLimiters & {
  connections: Connections;
  prices: Prices;
  metrics: Metrics;
  /** The lanes whose callbacks are taken: those that this process has the key of. */
  called: readonly CalledLane[];
  /** Asks the accounts that this process has the keys of what they have left, once a minute at most; `look` tells it. */
  askCredits(): Promise<void>;
  callbackPorts: CallbackPorts;
  /** Whether Redis answers. */
  presence: Presence;
  /** One look at these batches; what many jobs tell is a moment old at most. */
  look: ReturnType<typeof openSnapshots>;
  lastSuccess(): Promise<LastSuccess>;
  /** Whether the provider is asked to call an address that is not this machine's own, by our settings or by those of a live worker. */
  hasCallbacksFromOutside(): Promise<boolean>;
};

/** `path`: where its callbacks come, under /callbacks/. */
export type CalledLane = { lane: KeyedLane['lane']; path: string; tokens: CallbackTokens };

/** Pages are drawn each second, and for several readers at once. */
const JOBS_EVERY_MS = 2_000;

export async function openServing(connections: Connections): Promise<Serving> {
  const { config, closers, redis, clock, keys, routes, records, state, prices, heartbeats } = connections;
  const metrics = redisMetrics(redis, keys);
  closers.push(() => metrics.close());
  const presence = watchPresence(redis, connections.log);
  closers.push(async () => presence.stop());
  let comesFromOutside = true;
  const hints = pollNow(redisPollHints(redis, keys), routes);
  return {
    connections,
    prices,
    metrics,
    presence,
    look: openSnapshots(connections, { jobsEveryMs: JOBS_EVERY_MS }),
    lastSuccess: redisLastSuccess(redis, keys, clock).read,
    ...openLimiters(connections),
    askCredits: creditsOnceAMinute(connections),
    called: connections.lanes.filter(hasKey).flatMap(({ lane }) => callsOf(lane, config)),
    callbackPorts: {
      now: clock.now,
      records,
      state,
      forward: { poll: async (item, atMs) => (await routes.of(item.batch)).forward.poll(item, atMs) },
      pollNow: hints.ask,
      markCalled: hints.mark,
      settings: { pollGiveUpMs: config.pollGiveUpMs },
    },
    async hasCallbacksFromOutside() {
      if (config.callbackUrl !== undefined && !isLoopbackUrl(config.callbackUrl)) return true;
      const ask = async () => (await heartbeats.live()).some((worker) => worker.callbacksFromOutside === true);
      // While Redis is away what was known last holds: the pages are then to say so. Where nothing was known, they stay shut.
      const asked = await unlessAway(presence, ask).catch(() => undefined);
      if (asked && 'answer' in asked) comesFromOutside = asked.answer;
      return comesFromOutside;
    },
  };
}

/** An account that was there before it had a name may still be called by its former address. */
function callsOf(lane: KeyedLane['lane'], config: Connections['config']): CalledLane[] {
  const former = lane.isNamed && lane.isFirst ? [{ ...lane, isNamed: false }] : [];
  return [lane, ...former].map((one) => ({ lane: one, ...callbacksOf(one, config) }));
}
