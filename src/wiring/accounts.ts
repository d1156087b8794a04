import type { StoppedLane } from '../diagnosis/stopped.ts';
import { messageOf } from '../errors.ts';
import { probeAtStart } from '../fleet/probe-at-start.ts';
import { PROVIDERS, type ProviderName, type Vendor, vendorOf } from '../items/item.ts';
import { leastPrice, type Prices } from '../money/prices.ts';
import { checkAccount } from '../provider/check-account.ts';
import type { Provider } from '../provider/provider.ts';
import type { Connections } from './connections.ts';
import type { UsableLane } from './lane-ports.ts';
import type { OpenLane } from './lanes.ts';
import { requireKeys } from './open-provider.ts';
import type { OpenedPorts } from './stage-ports.ts';

type Opened = Pick<OpenedPorts, 'prices' | 'accounts'>;

/** What the cheapest image in an account costs, in its own credits. */
export function leastIn({ lane }: Pick<UsableLane, 'lane'>, prices: Prices): number {
  return leastPrice(prices, lane.vendor);
}

/**
 * Asks the accounts of these providers for their credits, before any work. Returns the sum where all is made in accounts of the default
 * one, and each of them tells. Of several accounts of a vendor, and of several providers that may make the same, one is enough to begin
 * with: what is wrong with another is a warning.
 * Throws a UsageError (`api-key-missing`, `api-key-refused`) or a FluxError (`provider-unreachable`).
 */
export async function checkAccounts(
  connections: Pick<Connections, 'config' | 'warnings'>,
  { accounts }: Opened,
  choices: readonly (readonly ProviderName[])[] = providersIn(accounts.all).map((provider) => [provider]),
): Promise<number | undefined> {
  const { config, warnings } = connections;
  requireKeys(config, choices);
  const vendorsOf = (choice: readonly ProviderName[]) => choice.map((provider) => vendorOf({ provider }));
  const vendors = new Set<Vendor>(choices.flatMap(vendorsOf));
  const wrong = new Map<Vendor, unknown>();
  let credits: number | undefined = 0;
  for (const vendor of vendors) {
    const own = accounts.all.filter(({ lane }) => lane.vendor === vendor && lane.share > 0);
    // Without a key here it is no choice.
    if (own.length === 0) wrong.set(vendor, undefined);
    else {
      const check = checkEach(own, apiUrlOf(vendor, config), warnings);
      const found = await check.catch((error: unknown) => void wrong.set(vendor, error));
      credits = credits === undefined || found === undefined ? undefined : credits + found;
    }
  }
  for (const choice of choices.map(vendorsOf)) {
    const first = choice.map((vendor) => wrong.get(vendor)).find((error) => error !== undefined);
    if (choice.every((vendor) => wrong.has(vendor)) && first !== undefined) throw first;
  }
  for (const [vendor, error] of wrong)
    if (error !== undefined) warnings.push(`${vendor} is left out until it answers: ${messageOf(error)}`);
  return vendors.has('bfl') ? undefined : credits;
}

async function checkEach(
  accounts: readonly UsableLane[],
  apiUrl: string,
  warnings: string[],
): Promise<number | undefined> {
  const results = await Promise.all(
    accounts.map(async ({ lane, provider }) => {
      const urlVariable = lane.vendor === 'bfl' ? 'BFL_API_URL' : 'FLUX_API_URL';
      return checkAccount(provider, { config: { apiUrl } }, lane.keyVariable, urlVariable).then(
        (credits) => ({ lane, credits }),
        (error: unknown) => ({ lane, error }),
      );
    }),
  );
  const wrong = results.flatMap((result) => ('error' in result ? [result] : []));
  const [first] = wrong;
  if (first && wrong.length === results.length) throw first.error;
  for (const { lane, error } of wrong)
    warnings.push(`lane ${lane.name} is left out until it answers: ${messageOf(error)}`);
  const told = results.map((result) => ('error' in result ? undefined : result.credits));
  return told.reduce((sum, one) => (sum === undefined || one === undefined ? undefined : sum + one), 0);
}

/** The credits of all accounts of the default vendor that are submitted in, together. */
export function creditsTogether({ accounts }: Opened): Pick<Provider, 'credits'> {
  return {
    async credits(options) {
      const own = accounts.all.filter(({ lane }) => lane.vendor === 'kie' && lane.share > 0);
      const outcomes = await Promise.all(own.map(({ provider }) => provider.credits(options)));
      const odd = outcomes.find(({ kind }) => kind !== 'credits');
      if (odd) return odd;
      const sum = outcomes.reduce((total, one) => total + (one.kind === 'credits' ? one.credits : 0), 0);
      return { kind: 'credits', credits: sum };
    },
  };
}

/** The breaker of each account is probed, unless its reason lasts: whoever starts workers wants to go on. */
export async function probeAllAtStart(
  { accounts, prices }: Opened,
  warn?: (why: string, how: string) => void,
): Promise<void> {
  for (const account of accounts.all) {
    const { state, provider } = account;
    const least = leastIn(account, prices);
    await probeAtStart({ state, provider, least, lane: laneShown(account) }, warn);
  }
}

/** What tells an account from others, where there are any. */
export function laneShown({ lane }: Pick<OpenLane, 'lane'>): StoppedLane | undefined {
  return lane.isNamed || lane.vendor !== 'kie' ? lane : undefined;
}

function providersIn(accounts: readonly UsableLane[]): ProviderName[] {
  const vendors = new Set(accounts.filter(({ lane }) => lane.share > 0).map(({ lane }) => lane.vendor));
  return PROVIDERS.filter((provider) => vendors.has(vendorOf({ provider })));
}

function apiUrlOf(vendor: Vendor, { apiUrl, bfl }: Connections['config']): string {
  return vendor === 'bfl' ? bfl.apiUrl : apiUrl;
}
