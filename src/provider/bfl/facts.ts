import type { ProviderFacts } from '../provider.ts';

/** By the documentation of 2025: tasks that run, and no rate. BFL's skills show the headers, nobody promises them. No key for submits. */
export const BFL_FACTS: ProviderFacts = {
  limits: {
    running: 24,
    runningOf: { 'flux-kontext-max': 6 },
    beyond: 'refused',
    headers: ['retry-after', 'x-ratelimit-reset', 'ratelimit-reset'],
  },
};
