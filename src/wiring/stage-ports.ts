import { callbackTokens, callbackUrl } from '../callbacks/token.ts';
import type { Config } from '../config.ts';
import { noCallbacks } from '../fleet/callbacks.ts';
import { redisDurations } from '../fleet/durations.ts';
import { redisMetrics } from '../fleet/metrics.ts';
import { untoldPrice } from '../items/charges.ts';
import { creditsOf, kindOf, type Prices } from '../money/prices.ts';
import { proxyRules } from '../network/proxy.ts';
import { httpDownload } from '../provider/download.ts';
import { keyless } from '../provider/keyless.ts';
import type { Provider } from '../provider/provider.ts';
import { hostAndPort } from '../provider/url-check.ts';
import { claimLead } from '../stages/claim-lead.ts';
import type { ItemRef, Ports } from '../stages/ports.ts';
import { unsentClaims } from '../stages/withdraw-claim.ts';
import { openCallbacks } from './callbacks.ts';
import type { Connections } from './connections.ts';
import { openInputs } from './inputs.ts';
import { type Accounts, openAccounts } from './lane-ports.ts';
import { firstLane, openLimiters, type WatchedLimiters } from './lanes.ts';
import { openProvider, requireKeys, USER_AGENT } from './open-provider.ts';

export type OpenedPorts = Ports & WatchedLimiters & { prices: Prices; accounts: Accounts };

const UNKNOWN_TASK_GRACE_MS = 60_000;

/** Everything that the stages act on. Throws a UsageError (`api-key-missing`) where there is no key at all. */
export async function openPorts(connections: Connections): Promise<OpenedPorts> {
  const { config, closers, redis, clock, keys, queues, archive, records, state, log, prices, faults } = connections;
  const provider = openDefault(connections);
  const downloads = httpDownload({
    allow: [...config.fetchAllow, ...ownHosts(config)],
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
  const callbackUrlOf =
    serveUrl !== undefined && tokens ? (item: ItemRef) => callbackUrl(serveUrl, tokens.mint(item)) : undefined;
  const metrics = redisMetrics(redis, keys);
  closers.push(() => metrics.close());
  const ports: Ports & WatchedLimiters & { prices: Prices } = {
    inputs: openInputs(connections, provider, { vendor: 'kie', apiKey }),
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
    callbacks: callbackUrlOf ? openCallbacks(connections, keys, 'kie') : noCallbacks,
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
      originTtlMs: config.originTtlMs,
      unknownLimit: config.unknownLimit,
      embed: config.embed,
      creditsOf: (request) => creditsOf(prices, kindOf(request)),
      untoldCreditsOf: (request) => untoldPrice(request, prices),
      ...(callbackUrlOf && { callbackUrlOf }),
    },
  };
  return { ...ports, accounts: openAccounts(connections, provider) };
}

/** Where only another account has a key, what is left of the default one's items waits. */
function openDefault(connections: Connections): Provider {
  const { config } = connections;
  if (!config.lanes.some(({ apiKey }) => apiKey !== undefined)) requireKeys(config, [['kie']]);
  const { lane } = firstLane(connections);
  const { apiKey } = lane;
  return apiKey === undefined
    ? keyless(`${lane.keyVariable} is not set`)
    : openProvider(connections, 'kie', { ...lane, apiKey });
}

/** A simulator on loopback has its images there too. */
function ownHosts({ apiUrl, kieJobsUrl, bfl }: Config): string[] {
  return [...new Set([apiUrl, kieJobsUrl, bfl.apiUrl])].map((url) => hostAndPort(new URL(url)));
}
