import type { RedisBatchState } from '../fleet/batch-state.ts';
import { PROVIDERS, type ProviderName } from '../items/item.ts';
import { leastPrice } from '../money/prices.ts';
import { checkAccount } from '../provider/check-account.ts';
import type { Provider } from '../provider/provider.ts';
import type { Connections } from './connections.ts';
import { apiKeyOf, requireKeys } from './open-provider.ts';
import type { OpenedPorts } from './stage-ports.ts';

/** An account at a provider, with the breaker that stops its submits. `least`: what its cheapest image costs, in its own credits. */
export type Account = { name: ProviderName; state: RedisBatchState; provider: Provider; least: number; apiUrl: string };

type Opened = Pick<OpenedPorts, 'provider' | 'prices' | 'portsOf'>;

/** The accounts that this process has keys of. kie's unified jobs are of the same as its Flux Kontext. */
export async function accountsOf(
  { config, state }: Pick<Connections, 'config' | 'state'>,
  ports: Opened,
): Promise<Account[]> {
  const { provider, prices } = ports;
  const accounts: Account[] = [];
  if (apiKeyOf(config, 'kie') !== undefined)
    accounts.push({ name: 'kie', state, provider, least: leastPrice(prices), apiUrl: config.apiUrl });
  const own = await ports.portsOf({ provider: 'bfl', prompt: '', model: '' });
  if ('accountState' in own && own.provider && own.accountState)
    accounts.push({
      ...{ name: 'bfl', provider: own.provider, state: own.accountState },
      ...{ least: leastPrice(prices, 'bfl'), apiUrl: config.bfl.apiUrl },
    });
  return accounts;
}

/**
 * Asks the accounts of these providers for their credits, before any work. Returns the default one's where all is made by it. Throws a
 * UsageError (`api-key-missing`, `api-key-refused`) or a FluxError (`provider-unreachable`).
 */
export async function checkAccounts(
  connections: Pick<Connections, 'config' | 'state'>,
  ports: Opened,
  providers: readonly ProviderName[] = PROVIDERS.filter((name) => apiKeyOf(connections.config, name) !== undefined),
): Promise<number | undefined> {
  requireKeys(connections.config, providers);
  const names = new Set<ProviderName>(providers.map((name) => (name === 'kie-jobs' ? 'kie' : name)));
  let credits: number | undefined;
  for (const { name, provider, apiUrl } of await accountsOf(connections, ports)) {
    if (!names.has(name)) continue;
    const found = await checkAccount(provider, { config: { apiUrl } }, name === 'bfl' ? 'BFL' : 'FLUX');
    if (name === 'kie') credits = found;
  }
  return names.has('bfl') ? undefined : credits;
}
