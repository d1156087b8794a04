import { diagnose } from '../diagnosis/diagnose.ts';
import type { Snapshot } from '../diagnosis/snapshot.ts';
import { timeLeft } from '../diagnosis/time-left.ts';

/**
 * A snapshot as JSON for scripts. Scripts depend on its names: `gate` stands for the circuit breaker, `maybe` for unsettled
 * credits, `beyond` for what is over budget. `leftMs` is null where no time left is known.
 */
export function snapshotJson(snapshot: Snapshot): object {
  const { at, batches, queues, rates, workers, breaker, lanes, waitingForEither, pausedAt, faults, atRisk } = snapshot;
  const { startedAt: _, ...tasks } = snapshot.tasks;
  const { findings, bottleneck } = diagnose(snapshot);
  return {
    at,
    batches: batches.map((batch) => {
      const { unsettled, overBudget, mayHaveRoom: _, fullVersion: __, ...counts } = batch;
      const left = timeLeft(batch, snapshot, findings);
      return {
        ...counts,
        maybe: unsettled,
        beyond: overBudget,
        leftMs: left.kind === 'known' ? Math.round(left.ms) : null,
      };
    }),
    queues,
    rates,
    tasks,
    workers,
    gate: breaker,
    lanes: lanes.map(({ isNamed: _, isFirst: __, limitNames: ___, breaker: gate, ...lane }) => ({ ...lane, gate })),
    waitingForEither,
    pausedAt,
    faults,
    atRisk,
    findings,
    bottleneck,
  };
}
