import { FluxError, UsageError } from '../errors.ts';
import type { Provider } from './provider.ts';

/**
 * Asks for the account's credits before any work. This is the cheapest check of the address and the key. Returns the
 * credits where the API tells them. Some resellers have no such endpoint, which is no error. Throws a UsageError
 * (`api-key-refused`) or a FluxError (`provider-unreachable`).
 */
export async function checkAccount(
  provider: Provider,
  { config }: { config: { apiUrl: string } },
  keyVariable = 'FLUX_API_KEY',
  urlVariable = 'FLUX_API_URL',
): Promise<number | undefined> {
  const outcome = await provider.credits();
  switch (outcome.kind) {
    case 'credits':
      return outcome.credits;
    case 'refused':
      if (outcome.refusal !== 'unauthorized') return undefined;
      throw new UsageError('api-key-refused', `The API at ${config.apiUrl} refuses the key: ${outcome.message}`, {
        hint: `Check ${keyVariable}; flux-batch config shows the first and last characters of the key in force.`,
      });
    case 'unreachable':
      throw new FluxError('provider-unreachable', `The API at ${config.apiUrl} does not answer: ${outcome.message}`, {
        hint: `Check ${urlVariable} and the network.`,
      });
    default:
      return outcome satisfies never;
  }
}
