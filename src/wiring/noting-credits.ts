import type { RedisCredits } from '../fleet/credits.ts';
import type { Provider } from '../provider/provider.ts';

/** What the account has left is noted whenever it says so, for all who look. */
export function notingCredits(provider: Provider, credits: Pick<RedisCredits, 'note'>): Provider {
  return {
    ...provider,
    async credits(options) {
      const outcome = await provider.credits(options);
      if (outcome.kind === 'credits') await credits.note(outcome.credits);
      return outcome;
    },
  };
}
