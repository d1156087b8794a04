import { accountOf, PROVIDERS, type ProviderName } from '../items/item.ts';
import type { Misfit } from '../provider/models/fit.ts';
import { quote } from './problems.ts';

/** Reads `kie`, or `kie, bfl` for a choice, the preferred one first; nothing is the default one. At least one, or what is wrong. */
export function readProviders(named: unknown = PROVIDERS[0]): ProviderName[] | { misfits: Misfit[] } {
  const texts = typeof named === 'string' && named.includes(',') ? named.split(',') : [named];
  const providers: ProviderName[] = [];
  for (const text of texts) {
    const provider = PROVIDERS.find((known) => known === String(text).trim());
    if (provider === undefined) {
      const message = `expected one of ${PROVIDERS.join(', ')}, got ${quote(typeof text === 'string' ? text.trim() : text)}`;
      return { misfits: [{ key: 'provider', message }] };
    }
    const same = providers.find((other) => accountOf(other) === accountOf(provider));
    if (same !== undefined) return { misfits: [ofOneAccount(same, provider)] };
    providers.push(provider);
  }
  return providers;
}

function ofOneAccount(first: ProviderName, second: ProviderName): Misfit {
  if (first === second) return { key: 'provider', message: `${first} is named twice` };
  const message = `${first} and ${second} are one account: where one takes nothing, neither does the other`;
  return { key: 'provider', message, hint: 'name one of them' };
}
