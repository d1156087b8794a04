import type { Provider } from '../provider/provider.ts';

/** Why submitting is stopped for the whole fleet. Times are epoch milliseconds. */
export type Gate = {
  refusal: string;
  message: string;
  since: number;
  /** When one submit is let through to see; absent where that would be to no purpose yet. */
  probeAt?: number;
};

/**
 * Whether what closed the gate may be over, asked of the provider without spending anything: the key is accepted, there are credits for an
 * image. Then one submit goes first. Where the provider cannot be asked, the gate's own probes or a person find out.
 */
export async function mayBeOver(gate: Gate, provider: Provider, leastCredits: number): Promise<boolean> {
  if (gate.refusal !== 'unauthorized' && gate.refusal !== 'out-of-credits') return false;
  const outcome = await provider.credits();
  if (outcome.kind !== 'credits') return false;
  return gate.refusal === 'unauthorized' || (outcome.credits > 0 && outcome.credits >= leastCredits);
}
