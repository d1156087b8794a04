import type { BatchCounts } from '../../batch/counts.ts';
import { hasKey } from '../../wiring/lane-ports.ts';
import type { Serving } from '../serving.ts';
import type { BatchView } from './batch.ts';
import { failureReader } from './failures.ts';
import type { Overview } from './overview.ts';
import { pictureReader } from './pictures.ts';

const MOST_BATCHES = 50;
const PACE_MS = 60_000;

/** Reads the data that the pages show. */
export function viewReader(serving: Serving) {
  const { connections, prices } = serving;
  const { state, archive } = connections;
  const failuresOf = failureReader(connections);
  const picturesOf = pictureReader(connections);
  const isSeveral = connections.lanes.filter(hasKey).length > 1;
  const look: Serving['look'] = (names) => {
    // Only the table of accounts shows what is left in them, and it does not wait for them.
    if (isSeveral) void serving.askCredits();
    return serving.look(names);
  };
  const paceOf = async (counts: BatchCounts) => ({
    counts,
    perMinute: await state.archivedWithin(counts.batch, PACE_MS),
  });

  return {
    async overview(): Promise<Overview> {
      const names = (await state.batches()).reverse();
      const snapshot = await look(names.slice(0, MOST_BATCHES));
      return {
        batches: await Promise.all(snapshot.batches.map(paceOf)),
        older: Math.max(0, names.length - MOST_BATCHES),
        snapshot,
      };
    },
    /** Undefined if there is no such batch. */
    async batch(name: string): Promise<BatchView | undefined> {
      const snapshot = await look([name]);
      const [counts] = snapshot.batches;
      if (!counts) return undefined;
      const elsewhere = counts.archive === '' || counts.archive === archive.url ? undefined : counts.archive;
      const troubled = counts.items.failed + counts.items.held;
      const [{ perMinute }, { failures, unread }, pictures] = await Promise.all([
        paceOf(counts),
        elsewhere === undefined ? failuresOf(name, troubled) : { failures: [], unread: troubled },
        elsewhere === undefined ? picturesOf(name, counts.items.archived) : [],
      ]);
      return {
        counts,
        perMinute,
        snapshot,
        usdPerCredit: prices.usdPerCredit,
        failures,
        unread,
        pictures,
        elsewhere,
      };
    },
  };
}
