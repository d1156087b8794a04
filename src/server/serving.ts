import type { CallbackTokens } from '../callbacks/token.ts';
import { callbackTokens } from '../callbacks/token.ts';
import { type LastSuccess, redisLastSuccess } from '../fleet/last-success.ts';
import { redisMetrics } from '../fleet/metrics.ts';
import type { Metrics } from '../metrics/definitions.ts';
import type { Prices } from '../money/prices.ts';
import { webhookSecret } from '../provider/bfl/webhook.ts';
import type { Provider } from '../provider/provider.ts';
import { pollNow } from '../queue/poll-now.ts';
import { type Presence, watchPresence } from '../redis/presence.ts';
import type { CallbackPorts } from '../stages/callback.ts';
import { openSnapshots } from '../status/snapshot.ts';
import { isLoopbackUrl } from '../text/loopback.ts';
import type { Connections } from '../wiring/connections.ts';
import { openProvider } from '../wiring/open-provider.ts';
import { openLimiters, type WatchedLimiters } from '../wiring/stage-ports.ts';
import { unlessAway } from './unless-away.ts';

/**
 * Everything that the server needs. Without an API key (`account` undefined) it takes no callbacks and shows no credits.
 */
export type Serving = WatchedLimiters & {
  connections: Connections;
  prices: Prices;
  metrics: Metrics;
  account: { provider: Provider; tokens: CallbackTokens } | undefined;
  /** Of the account at BFL; undefined without its key. */
  bfl: { tokens: CallbackTokens; secret: string } | undefined;
  callbackPorts: CallbackPorts;
  /** Whether Redis answers. */
  presence: Presence;
  /** One look at these batches; what many jobs tell is a moment old at most. */
  look: ReturnType<typeof openSnapshots>;
  lastSuccess(): Promise<LastSuccess>;
  /** Whether the provider is asked to call an address that is not this machine's own, by our settings or by those of a live worker. */
  hasCallbacksFromOutside(): Promise<boolean>;
};

/** Pages are drawn each second, and for several readers at once. */
const JOBS_EVERY_MS = 2_000;

export async function openServing(connections: Connections): Promise<Serving> {
  const { config, closers, redis, clock, keys, routes, records, state, prices, heartbeats } = connections;
  const metrics = redisMetrics(redis, keys);
  closers.push(() => metrics.close());
  const presence = watchPresence(redis, connections.log);
  closers.push(async () => presence.stop());
  let comesFromOutside = true;
  const hints = pollNow(redis, keys, routes);
  return {
    connections,
    prices,
    metrics,
    presence,
    look: openSnapshots(connections, { jobsEveryMs: JOBS_EVERY_MS }),
    lastSuccess: redisLastSuccess(redis, keys, clock).read,
    ...openLimiters(connections),
    account:
      config.apiKey === undefined
        ? undefined
        : { provider: openProvider(connections), tokens: callbackTokens(config.apiKey) },
    bfl: bflCallbacks(config),
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

/** The key of the tokens is that of whoever asks for callbacks, see wiring/provider-ports.ts. */
function bflCallbacks({ apiKey, bfl }: Connections['config']): Serving['bfl'] {
  if (bfl.apiKey === undefined) return undefined;
  return { tokens: callbackTokens(apiKey ?? bfl.apiKey), secret: webhookSecret(bfl.apiKey) };
}
