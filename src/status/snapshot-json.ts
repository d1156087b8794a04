import type { Snapshot } from './snapshot.ts';

/**
 * A snapshot as JSON for scripts. Scripts depend on its names: `gate` stands for the circuit breaker, `maybe` for unsettled
 * credits, `beyond` for what is over budget.
 */
export function snapshotJson({
  at,
  batches,
  queues,
  rates,
  tasks,
  workers,
  breaker,
  pausedAt,
  faults,
  atRisk,
}: Snapshot): object {
  return {
    at,
    batches: batches.map(({ unsettled, overBudget, mayHaveRoom: _, ...counts }) => ({
      ...counts,
      maybe: unsettled,
      beyond: overBudget,
    })),
    queues,
    rates,
    tasks,
    workers,
    gate: breaker,
    pausedAt,
    faults,
    atRisk,
  };
}
