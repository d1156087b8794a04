import type { Snapshot } from './snapshot.ts';

/**
 * A snapshot as JSON for scripts. Scripts depend on its names: `maybe` and `beyond` stand for unsettled and over budget.
 */
export function snapshotJson(snapshot: Snapshot): object {
  const batches = snapshot.batches.map(({ unsettled, overBudget, ...counts }) => ({
    ...counts,
    maybe: unsettled,
    beyond: overBudget,
  }));
  return { ...snapshot, batches };
}
