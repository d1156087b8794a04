import type { ProviderFacts } from '../../../src/provider/provider.ts';

export const KEYED_FACTS: ProviderFacts = {
  limits: { running: 100, beyond: 'refused', headers: ['retry-after'] },
  submitKey: { rememberedMs: 3_600_000 },
};
