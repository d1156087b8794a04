import type { Config } from '../config.ts';
import { loadPrices } from '../money/load-prices.ts';
import { leastPrice } from '../money/prices.ts';
import { checkAccount } from '../provider/check-account.ts';
import type { Lane } from '../settings/lanes.ts';
import type { Closers } from '../wiring/closers.ts';
import { openProvider, requireKeys } from '../wiring/open-provider.ts';
import { type Check, failed, ok, outcomeOf, warning } from './check.ts';

/**
 * Asks each account for its credits, which costs nothing: the address answers, the key is accepted, there is something to spend. Where
 * there are several of a vendor, work goes on without one of them: what is wrong with it is a warning.
 */
export async function checkProvider(config: Config, closers: Closers): Promise<Check[]> {
  const lanes = config.lanes.filter(({ apiKey, isNamed }) => isNamed || apiKey !== undefined);
  if (!lanes.some(({ apiKey }) => apiKey !== undefined)) requireKeys(config, [['kie']]);
  const found = await Promise.all(
    lanes.map(async (lane) => ({ lane, checks: await outcomeOf('provider', () => checkLane(lane, config, closers)) })),
  );
  const isWell = (checks: readonly Check[]) => checks.every(({ outcome }) => outcome === 'ok');
  return found.flatMap(({ lane, checks }) => {
    const isSpared = found.some((other) => other.lane.vendor === lane.vendor && isWell(other.checks));
    return checks.map((check) => (check.outcome === 'failed' && isSpared ? { ...check, outcome: 'warning' } : check));
  });
}

async function checkLane(lane: Lane, config: Config, closers: Closers): Promise<Check[]> {
  const { apiKey, vendor, keyVariable } = lane;
  const isTold = lane.isNamed || vendor !== 'kie';
  const named = isTold ? `${lane.name}: ` : '';
  if (apiKey === undefined)
    return [
      warning(
        'provider',
        `${named}${keyVariable} is not set: its items are left to other workers`,
        `Set ${keyVariable}.`,
      ),
    ];
  const apiUrl = vendor === 'bfl' ? config.bfl.apiUrl : config.apiUrl;
  const urlVariable = vendor === 'bfl' ? 'BFL_API_URL' : 'FLUX_API_URL';
  const provider = openProvider({ config, closers }, vendor, { ...lane, apiKey });
  const credits = await checkAccount(provider, { config: { apiUrl } }, keyVariable, urlVariable);
  if (credits === undefined)
    return [ok('provider', `${named}${apiUrl} answers, and does not tell the account's credits`)];
  const prices = await loadPrices(config);
  // Of the default models: which others a manifest will ask for is not known here.
  const { providers: _, ...ofDefault } = prices;
  const least = vendor === 'bfl' ? leastPrice(prices, 'bfl') : leastPrice(ofDefault);
  const accepted = `${named}${apiUrl} accepts the key`;
  if (credits <= 0 || credits < least) {
    return [
      ok('provider', accepted),
      failed(
        'provider',
        `${named}the account has ${credits} credits, and an image costs at least ${least}`,
        'Top the account up.',
      ),
    ];
  }
  return [ok('provider', `${accepted}; the account has ${credits.toLocaleString('en-US')} credits`)];
}
