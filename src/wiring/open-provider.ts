import type { Config } from '../config.ts';
import { UsageError } from '../errors.ts';
import { type ProviderName, vendorOf } from '../items/item.ts';
import { kindsIn, providerOfKind } from '../money/prices.ts';
import { proxyRules } from '../network/proxy.ts';
import { bfl } from '../provider/bfl/bfl.ts';
import type { ClientSettings } from '../provider/client.ts';
import { kieJobs } from '../provider/kie-jobs/kie-jobs.ts';
import { fluxKontext } from '../provider/kontext/flux-kontext.ts';
import type { Models } from '../provider/models/sheet.ts';
import type { Provider } from '../provider/provider.ts';
import type { Lane } from '../settings/lanes.ts';
import { VERSION } from '../version.ts';
import type { Connections } from './connections.ts';
import { POLL_TIMEOUT_MS } from './poll-limiter.ts';

export const USER_AGENT = `flux-batch/${VERSION}`;

/** Which variable holds the key of a provider's account. */
const KEY_OF: Readonly<Record<ProviderName, string>> = {
  kie: 'FLUX_API_KEY',
  'kie-jobs': 'KIE_API_KEY',
  bfl: 'BFL_API_KEY',
};

/** Who may make images of these kinds (`kindOfItem`): for each kind one of them is enough. */
export function providersOf(kinds: Iterable<string>): ProviderName[][] {
  const named = [...kinds].map((kind) => kindsIn(kind).map(providerOfKind));
  return [...new Map(named.map((choice) => [choice.join(), choice])).values()];
}

/** Throws a UsageError (`api-key-missing`) where there is no key of any account that images of one of these choices may be made in. */
export function requireKeys(config: Config, choices: Iterable<readonly ProviderName[]>): void {
  for (const choice of choices) {
    const lanesOf = (provider: ProviderName) =>
      config.lanes.filter((lane) => lane.vendor === vendorOf({ provider }) && lane.share > 0);
    const [provider] = choice;
    if (provider === undefined || choice.flatMap(lanesOf).some(({ apiKey }) => apiKey !== undefined)) continue;
    const lanes = lanesOf(provider);
    const named = lanes
      .filter(({ isNamed }) => isNamed)
      .map(({ name, keyVariable }) => `${keyVariable} (lane ${name})`);
    const missing = named.length > 0 ? named.join(' or ') : KEY_OF[provider];
    throw new UsageError('api-key-missing', `No API key: ${missing} is not set`, {
      hint: 'Set it in the environment or in .env. To try without an account: flux-batch simulate, or npm run demo.',
    });
  }
}

/** A provider's client with the key of this account. Without models it makes none of them, and answers for the account all the same. */
export function openProvider(
  { config, closers }: Pick<Connections, 'config' | 'closers'>,
  name: ProviderName,
  lane: Lane & { apiKey: string },
  models: Models = { 'kie-jobs': {}, bfl: {} },
): Provider {
  const settings = clientSettings(config, name, lane.apiKey);
  const provider = clientOf(name, settings, models, config);
  closers.push(() => provider.close());
  return provider;
}

function clientOf(name: ProviderName, settings: ClientSettings, models: Models, config: Config): Provider {
  switch (name) {
    case 'kie':
      return fluxKontext({
        ...settings,
        lives: { originMs: config.originTtlMs, storedMs: config.storedTtlMs },
        uploadUrl: config.inputs.uploadUrl,
      });
    case 'kie-jobs':
      return kieJobs({ ...settings, models: models['kie-jobs'] });
    case 'bfl':
      return bfl({ ...settings, models: models.bfl });
    default:
      return name satisfies never;
  }
}

function clientSettings(config: Config, provider: ProviderName, apiKey: string): ClientSettings {
  const urls = { kie: config.apiUrl, 'kie-jobs': config.kieJobsUrl, bfl: config.bfl.apiUrl };
  return {
    apiUrl: urls[provider],
    apiKey,
    userAgent: USER_AGENT,
    connectTimeoutMs: 10_000,
    submitTimeoutMs: config.submitTimeoutMs,
    pollTimeoutMs: POLL_TIMEOUT_MS,
    connections: 128,
    proxyFor: proxyRules(config.proxy),
  };
}
