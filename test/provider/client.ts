import { onTestFinished, vi } from 'vitest';
import type { ImageRequest } from '../../src/items/item.ts';
import { type FluxKontextSettings, fluxKontext } from '../../src/provider/kontext/flux-kontext.ts';

export const REQUEST: ImageRequest = {
  prompt: 'A lighthouse at “dawn” 🌅',
  model: 'flux-kontext-pro',
  outputFormat: 'png',
};
export const KEY = 'sk-very-secret';

export function client(apiUrl: string, settings: Partial<FluxKontextSettings> = {}) {
  const provider = fluxKontext({
    apiUrl,
    apiKey: KEY,
    userAgent: 'flux-batch/0.0.0-test',
    connectTimeoutMs: 5_000,
    submitTimeoutMs: 10_000,
    pollTimeoutMs: 10_000,
    connections: 4,
    ...settings,
  });
  onTestFinished(() => provider.close());
  return provider;
}

/** A submit, and how often its `onSent` was called. */
export async function submitted(apiUrl: string, settings: Partial<FluxKontextSettings> = {}) {
  const onSent = vi.fn();
  const outcome = await client(apiUrl, settings).submit(REQUEST, { onSent });
  return { outcome, sent: onSent.mock.calls.length };
}
