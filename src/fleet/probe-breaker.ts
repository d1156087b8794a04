import type { Provider } from '../provider/provider.ts';

/** Why submitting is stopped for the whole fleet. Times are epoch milliseconds. */
export type TrippedBreaker = {
  refusal: string;
  message: string;
  since: number;
  /** When one submit goes through as a probe; absent where a probe would tell nothing yet. */
  probeAt?: number;
};

/**
 * Whether the reason for the trip may be over, asked of the provider without spending anything: the key is accepted, there are
 * credits for an image. Then one submit goes first. Where the provider cannot be asked, the breaker's own probes or a person find out.
 */
export async function mayBeOver(breaker: TrippedBreaker, provider: Provider, leastCredits: number): Promise<boolean> {
  if (breaker.refusal !== 'unauthorized' && breaker.refusal !== 'out-of-credits') return false;
  const outcome = await provider.credits();
  if (outcome.kind !== 'credits') return false;
  return breaker.refusal === 'unauthorized' || (outcome.credits > 0 && outcome.credits >= leastCredits);
}
