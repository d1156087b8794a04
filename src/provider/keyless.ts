import type { Provider } from './provider.ts';

/** Of an account that this process has no key for: nothing is sent. */
export function keyless(message: string): Provider {
  const unreachable = async () => ({ kind: 'unreachable', message }) as const;
  return {
    facts: { limits: { beyond: 'refused', headers: [] } },
    submit: async () => ({ kind: 'not-sent', message }),
    ...{ poll: unreachable, link: unreachable, credits: unreachable },
    close: async () => {},
  };
}
