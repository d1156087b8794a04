import { LRUCache } from 'lru-cache';
import { FluxError } from '../src/errors.ts';
import type { Item } from '../src/items/item.ts';
import type { Run, StageOutcome } from '../src/stages/ports.ts';
import type { Connections } from '../src/wiring/connections.ts';

export type RunStage<Data> = (data: Data, run: Run) => Promise<StageOutcome>;

const KNOWN_FOR_MS = 5_000;
const LEAVE_FOR_MS = 5_000;
const MOST_BATCHES = 1_000;

/**
 * Leaves a batch alone that goes to another archive than this worker's. Its images and records would land where nobody looks for
 * them, and what is recorded in the other archive would be paid for again.
 */
export function onlyOurArchive(
  { state, archive, clock }: Pick<Connections, 'state' | 'archive' | 'clock'>,
  onTrouble: (error: unknown) => void,
) {
  const archives = new LRUCache<string, string>({
    max: MOST_BATCHES,
    ttl: KNOWN_FOR_MS,
    fetchMethod: async (batch) => (await state.counts(batch))?.archive || archive.url,
  });

  return <Data extends Item>(runStage: RunStage<Data>): RunStage<Data> =>
    async (item, run) => {
      const url = (await archives.fetch(item.batch)) ?? archive.url;
      if (url === archive.url) return runStage(item, run);
      onTrouble(
        new FluxError(
          'archive-differs',
          `The batch ${item.batch} goes to ${url}, this worker stores in ${archive.url}`,
          {
            hint: 'Start a worker with that ARCHIVE_URL.',
          },
        ),
      );
      return { kind: 'later', atMs: clock.now() + LEAVE_FOR_MS };
    };
}
