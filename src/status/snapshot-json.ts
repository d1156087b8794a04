import type { Snapshot } from './snapshot.ts';

/** A snapshot as scripts read it. Its names are a promise: `maybe` and `beyond` are what we call unsettled and over budget. */
export function snapshotJson(snapshot: Snapshot): object {
  const batches = snapshot.batches.map(({ unsettled, overBudget, ...counts }) => ({
    ...counts,
    maybe: unsettled,
    beyond: overBudget,
  }));
  return { ...snapshot, batches };
}
