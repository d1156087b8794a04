import type { Ports, StageOutcome } from './ports.ts';

const CHECK_MS = 2_000;

/** However many items wait, each process looks with one of them whether submitting goes on. */
export function waitForBreaker({ now }: Pick<Ports, 'now'>): StageOutcome {
  const restMs = CHECK_MS * (0.5 + Math.random());
  return { kind: 'later', atMs: now() + restMs, restMs };
}
