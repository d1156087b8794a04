import { FluxError } from '../src/errors.ts';
import type { Item } from '../src/items/item.ts';
import type { Run, StageOutcome } from '../src/stages/ports.ts';
import type { Connections } from '../src/wiring/connections.ts';

type RunStage<Data> = (data: Data, run: Run) => Promise<StageOutcome>;

const KNOWN_FOR_MS = 5_000;
const LEAVE_FOR_MS = 5_000;

/**
 * Leaves a batch alone that goes to another archive than this worker's: its images and records would land where nobody looks
 * for them, and what is recorded there would be paid for again.
 */
export function onlyOurArchive(
  { state, archive, clock }: Pick<Connections, 'state' | 'archive' | 'clock'>,
  onTrouble: (error: unknown) => void,
) {
  const known = new Map<string, { url: Promise<string>; readAt: number }>();

  function archiveOf(batch: string): Promise<string> {
    const cached = known.get(batch);
    if (cached && Date.now() - cached.readAt < KNOWN_FOR_MS) return cached.url;
    const url = state.counts(batch).then((counts) => counts?.archive || archive.url);
    known.set(batch, { url, readAt: Date.now() });
    url.catch(() => known.delete(batch));
    return url;
  }

  return <Data extends Item>(runStage: RunStage<Data>): RunStage<Data> =>
    async (item, run) => {
      const url = await archiveOf(item.batch);
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
