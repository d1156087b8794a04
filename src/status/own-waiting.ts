import { type WaitingPorts, waitingByWay } from '../batch/waiting-by-way.ts';
import type { LaneLook } from '../diagnosis/snapshot.ts';
import type { WaitingByWay } from '../items/submit-way.ts';

/** What stands still is counted again after so long. */
const RECOUNT_MS = 2_000;

export type LookAtOwnWaiting = ReturnType<typeof ownWaitingReader>;

/**
 * What waits of one batch, for it to be judged by: what waits of others may be paused, or over budget, or about to go. Undefined where
 * that decides nothing: no account is closed, or all are of one vendor. Items over budget are left out, unless nothing else waits.
 */
export function ownWaitingReader(connections: WaitingPorts) {
  const { state } = connections;
  let known: { standing: string; at: number; waiting: WaitingByWay } | undefined;

  async function count(batch: string): Promise<WaitingByWay> {
    const within = await waitingByWay(batch, connections, await state.overBudget(batch));
    return Object.values(within).some((some) => some > 0) ? within : waitingByWay(batch, connections);
  }

  return async (
    batch: string,
    lanes: readonly Pick<LaneLook, 'breaker' | 'vendor'>[],
  ): Promise<WaitingByWay | undefined> => {
    const vendors = new Set(lanes.map(({ vendor }) => vendor));
    if (vendors.size < 2 || !lanes.some(({ breaker }) => breaker)) return undefined;
    const standing = `${batch} ${await state.standing(batch)}`;
    if (known?.standing === standing && performance.now() - known.at < RECOUNT_MS) return known.waiting;
    const waiting = await count(batch);
    known = { standing, at: performance.now(), waiting };
    return waiting;
  };
}
