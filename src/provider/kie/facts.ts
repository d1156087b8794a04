import type { ProviderFacts } from '../provider.ts';

/** Of an account at kie; whether its two APIs share the limits is not documented, and assumed. Neither has a key for submits. */
export const KIE_FACTS: ProviderFacts = {
  limits: {
    submits: { max: 20, windowMs: 10_000 },
    // Stated for a sister endpoint.
    polls: { max: 10, windowMs: 1_000 },
    running: 100,
    beyond: 'refused',
    // Not documented; honoured where it comes.
    headers: ['retry-after'],
  },
};
