import { callbackTokens, callbackUrl } from '../callbacks/token.ts';
import { UsageError } from '../errors.ts';
import { redisDurations } from '../fleet/durations.ts';
import { type LimiterUsage, redisLimiter } from '../fleet/limiter.ts';
import { redisMetrics } from '../fleet/metrics.ts';
import { creditsOf, type Prices } from '../money/prices.ts';
import { proxyRules } from '../network/proxy.ts';
import { httpDownload } from '../provider/download.ts';
import { fluxKontext } from '../provider/kontext/flux-kontext.ts';
import type { Provider } from '../provider/provider.ts';
import { hostAndPort } from '../provider/url-check.ts';
import { claimLead } from '../stages/claim-lead.ts';
import type { Limiter, Ports } from '../stages/ports.ts';
import { unsentClaims } from '../stages/withdraw-claim.ts';
import { VERSION } from '../version.ts';
import type { Connections } from './connections.ts';

export type WatchedLimiter = Limiter & { usage(): Promise<LimiterUsage> };
export type WatchedLimiters = { submitLimiter: WatchedLimiter; pollLimiter: WatchedLimiter };
export type OpenedPorts = Ports & WatchedLimiters & { prices: Prices };

const USER_AGENT = `flux-batch/${VERSION}`;
const POLL_TIMEOUT_MS = 20_000;
const UNKNOWN_TASK_GRACE_MS = 60_000;

/** The provider's client by the configuration. Throws a UsageError (`api-key-missing`). */
export function openProvider({ config, closers }: Pick<Connections, 'config' | 'closers'>): Provider {
  if (config.apiKey === undefined) {
    throw new UsageError('api-key-missing', 'No API key: FLUX_API_KEY is not set', {
      hint: 'Set it in the environment or in .env. To try without an account: flux-batch simulate, or npm run demo.',
    });
  }
  const provider = fluxKontext({
    apiUrl: config.apiUrl,
    apiKey: config.apiKey,
    userAgent: USER_AGENT,
    connectTimeoutMs: 10_000,
    submitTimeoutMs: config.submitTimeoutMs,
    pollTimeoutMs: POLL_TIMEOUT_MS,
    connections: 128,
    lives: { originMs: config.originTtlMs, storedMs: config.storedTtlMs },
    proxyFor: proxyRules(config.proxy),
  });
  closers.push(() => provider.close());
  return provider;
}

export function openLimiters({
  config,
  redis,
  keys,
  routes,
}: Pick<Connections, 'config' | 'redis' | 'keys' | 'routes'>): WatchedLimiters {
  return {
    submitLimiter: redisLimiter(redis, keys, {
      name: 'submit',
      rate: config.rateLimit,
      requestTimeoutMs: config.submitTimeoutMs,
      running: {
        most: config.maxTasks,
        get lists() {
          return routes.running().lists;
        },
        get sortedSets() {
          return routes.running().sortedSets;
        },
      },
    }),
    pollLimiter: redisLimiter(redis, keys, { name: 'poll', rate: config.pollLimit, requestTimeoutMs: POLL_TIMEOUT_MS }),
  };
}

/** Everything that the stages act on. */
export async function openPorts(connections: Connections): Promise<OpenedPorts> {
  const { config, closers, redis, clock, keys, queues, archive, records, state, log, prices, faults } = connections;
  const provider = openProvider(connections);
  const downloads = httpDownload({
    allow: [...config.fetchAllow, hostAndPort(new URL(config.apiUrl))],
    userAgent: USER_AGENT,
    maxRedirects: 3,
    connectTimeoutMs: 10_000,
    headersTimeoutMs: 30_000,
    bodyTimeoutMs: 15_000,
    totalTimeoutMs: 120_000,
    proxyFor: proxyRules(config.proxy),
  });
  closers.push(() => downloads.close());
  const { callbackUrl: serveUrl, apiKey } = config;
  const tokens = apiKey === undefined ? undefined : callbackTokens(apiKey);
  const metrics = redisMetrics(redis, keys);
  closers.push(() => metrics.close());
  return {
    now: clock.now,
    log,
    provider,
    download: downloads.download,
    stream: downloads.stream,
    archive,
    records,
    state,
    forward: queues.forward,
    prices,
    ...openLimiters(connections),
    claimLead: claimLead(),
    unsentClaims: unsentClaims(),
    durations: redisDurations(redis, keys),
    metrics,
    faults: faults.port,
    settings: {
      onUnknown: config.onUnknown,
      // Beyond the client's own timeout, since the answer has to be recorded too.
      submitTimeoutMs: config.submitTimeoutMs + 5_000,
      pollGiveUpMs: config.pollGiveUpMs,
      unknownTaskGraceMs: UNKNOWN_TASK_GRACE_MS,
      storedTtlMs: config.storedTtlMs,
      generationRetries: config.generationRetries,
      unknownLimit: config.unknownLimit,
      embed: config.embed,
      creditsOf: (model) => creditsOf(prices, model),
      ...(serveUrl !== undefined && tokens && { callbackUrlOf: (item) => callbackUrl(serveUrl, tokens.mint(item)) }),
    },
  };
}
