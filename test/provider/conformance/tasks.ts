import { vi } from 'vitest';
import type { PollOutcome, Provider } from '../../../src/provider/provider.ts';
import type { Adapter } from './adapters.ts';

export async function accepted(provider: Provider, adapter: Adapter, prompt = adapter.request.prompt) {
  const outcome = await provider.submit({ ...adapter.request, prompt });
  if (outcome.kind !== 'accepted') throw new Error(`Expected a task, got ${JSON.stringify(outcome)}`);
  return outcome;
}

export const untilEnded = (provider: Provider, handle: string): Promise<PollOutcome> =>
  vi.waitFor(async () => {
    const outcome = await provider.poll(handle);
    if (outcome.kind === 'generating') throw new Error('still generating');
    return outcome;
  });

export async function untilSucceeded(provider: Provider, handle: string) {
  const outcome = await untilEnded(provider, handle);
  if (outcome.kind !== 'succeeded') throw new Error(`Expected an image, got ${JSON.stringify(outcome)}`);
  return outcome;
}
