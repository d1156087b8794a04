import type { Config } from '../config.ts';
import { loadPrices } from '../money/load-prices.ts';
import { leastPrice } from '../money/prices.ts';
import { checkAccount } from '../provider/check-account.ts';
import type { Closers } from '../wiring/closers.ts';
import { openProvider } from '../wiring/open-provider.ts';
import { type Check, failed, ok } from './check.ts';

/** Asks for the account's credits, which costs nothing: the address answers, the key is accepted, there is something to spend. */
export async function checkProvider(config: Config, closers: Closers): Promise<Check[]> {
  const credits = await checkAccount(openProvider({ config, closers }), { config });
  if (credits === undefined)
    return [ok('provider', `${config.apiUrl} answers, and does not tell the account's credits`)];
  // Of the default models: which others a manifest will ask for is not known here.
  const { providers: _, ...ofDefault } = await loadPrices(config.pricesFile);
  const least = leastPrice(ofDefault);
  const accepted = `${config.apiUrl} accepts the key`;
  if (credits <= 0 || credits < least) {
    return [
      ok('provider', accepted),
      failed(
        'provider',
        `the account has ${credits} credits, and an image costs at least ${least}`,
        'Top the account up.',
      ),
    ];
  }
  return [ok('provider', `${accepted}; the account has ${credits.toLocaleString('en-US')} credits`)];
}
