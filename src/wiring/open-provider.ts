import type { Config } from '../config.ts';
import { UsageError } from '../errors.ts';
import { PROVIDERS, type ProviderName } from '../items/item.ts';
import { proxyRules } from '../network/proxy.ts';
import { bfl } from '../provider/bfl/bfl.ts';
import type { ClientSettings } from '../provider/client.ts';
import { kieJobs } from '../provider/kie-jobs/kie-jobs.ts';
import { fluxKontext } from '../provider/kontext/flux-kontext.ts';
import type { Models } from '../provider/models/sheet.ts';
import type { Provider } from '../provider/provider.ts';
import { VERSION } from '../version.ts';
import type { Connections } from './connections.ts';

export const USER_AGENT = `flux-batch/${VERSION}`;
export const POLL_TIMEOUT_MS = 20_000;

/** Which variable holds the key of a provider's account. */
const KEY_OF: Readonly<Record<ProviderName, string>> = {
  kie: 'FLUX_API_KEY',
  'kie-jobs': 'KIE_API_KEY',
  bfl: 'BFL_API_KEY',
};

export function apiKeyOf({ apiKey, bfl: { apiKey: ofBfl } }: Config, provider: ProviderName): string | undefined {
  return provider === 'bfl' ? ofBfl : apiKey;
}

/** The providers whose images these kinds are (`kindOf`). */
export function providersOf(kinds: Iterable<string>): ProviderName[] {
  const named = [...kinds].map((kind) => PROVIDERS.find((name) => kind.startsWith(`${name}/`)) ?? 'kie');
  return [...new Set(named)];
}

/** Throws a UsageError (`api-key-missing`) where there is no key of a provider's account. */
export function requireKeys(config: Config, providers: Iterable<ProviderName>): void {
  for (const provider of providers) {
    if (apiKeyOf(config, provider) !== undefined) continue;
    throw new UsageError('api-key-missing', `No API key: ${KEY_OF[provider]} is not set`, {
      hint: 'Set it in the environment or in .env. To try without an account: flux-batch simulate, or npm run demo.',
    });
  }
}

/** The default provider's client by the configuration. Throws a UsageError (`api-key-missing`). */
export function openProvider({ config, closers }: Pick<Connections, 'config' | 'closers'>): Provider {
  requireKeys(config, ['kie']);
  const provider = fluxKontext({
    ...clientSettings(config, 'kie'),
    lives: { originMs: config.originTtlMs, storedMs: config.storedTtlMs },
    uploadUrl: config.inputs.uploadUrl,
  });
  closers.push(() => provider.close());
  return provider;
}

/** Another provider's. Its key is there. */
export function openOther(
  { config, closers }: Pick<Connections, 'config' | 'closers'>,
  name: Exclude<ProviderName, 'kie'>,
  models: Models,
): Provider {
  const settings = clientSettings(config, name);
  const provider =
    name === 'bfl' ? bfl({ ...settings, models: models.bfl }) : kieJobs({ ...settings, models: models['kie-jobs'] });
  closers.push(() => provider.close());
  return provider;
}

function clientSettings(config: Config, provider: ProviderName): ClientSettings {
  const urls = { kie: config.apiUrl, 'kie-jobs': config.kieJobsUrl, bfl: config.bfl.apiUrl };
  return {
    apiUrl: urls[provider],
    apiKey: apiKeyOf(config, provider) ?? '',
    userAgent: USER_AGENT,
    connectTimeoutMs: 10_000,
    submitTimeoutMs: config.submitTimeoutMs,
    pollTimeoutMs: POLL_TIMEOUT_MS,
    connections: 128,
    proxyFor: proxyRules(config.proxy),
  };
}
