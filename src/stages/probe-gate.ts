import type { Provider } from '../provider/provider.ts';

export type Gate = { refusal: string; message: string; since: number };

/** After so long of maintenance one submit is let through to see; a further 455 closes the gate again. */
const MAINTENANCE_MS = 30_000;

/**
 * Whether what closed the gate is over, asked of the provider without spending anything where that can be done: credits are there
 * again, the key is accepted again. A wrong path (404) only a person can mend.
 */
export async function isOver(gate: Gate, provider: Provider, now: number): Promise<boolean> {
  switch (gate.refusal) {
    case 'maintenance':
      return now >= gate.since + MAINTENANCE_MS;
    case 'unauthorized':
      return (await provider.credits()).kind === 'credits';
    case 'out-of-credits': {
      const outcome = await provider.credits();
      return outcome.kind === 'credits' && outcome.credits > 0;
    }
    default:
      return false;
  }
}
