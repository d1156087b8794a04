import type { Ports, StageOutcome } from './ports.ts';

const CHECK_MS = 2_000;

/** Submitting is stopped for all items. However many wait, each process looks with one of them whether it goes on. */
export function waitALittle({ now }: Pick<Ports, 'now'>): StageOutcome {
  const restMs = CHECK_MS * (0.5 + Math.random());
  return { kind: 'later', atMs: now() + restMs, restMs };
}
