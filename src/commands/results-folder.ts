import type { Archive } from '../archive/archive.ts';
import { layout } from '../archive/layout.ts';
import type { Unreadable } from '../items/unreadable.ts';
import { collect } from '../results/collect.ts';
import { collectProgress } from '../results/collect-progress.ts';
import { namedById, namedForPeople } from '../results/file-names.ts';
import { digested, rowsDigest } from '../results/rows-digest.ts';
import { listedItems } from '../results/standings.ts';
import { writeIndexFiles } from '../results/write-index.ts';
import { say } from '../text/terminal.ts';
import { EXIT } from './exit-codes.ts';
import { matching, noted, refreshIfStale, type Source, tellTrouble } from './results-source.ts';
import { onStopSignals } from './signals.ts';
import { ofTarget, openTarget } from './target-folder.ts';

/** Images copied at the same time. Each is held in memory, and more hardly help on a home connection. */
const AT_ONCE = 8;

/** Brings the images that were asked for, their gallery and lists into a folder. Returns the exit code. */
export async function copyToFolder(source: Source, out: string, flat: boolean): Promise<number> {
  const { batch, archive, where, order } = source;
  const target = await openTarget(out, archive);
  const stop = onStopSignals({ stopsForFaults: false, saying: 'stopping; run the same command again to go on.' });
  const progress = collectProgress(
    process.stderr,
    where.isEverything ? await imagesOf(archive, batch, stop.signal) : undefined,
  );
  try {
    const digest = rowsDigest();
    const unreadable: Unreadable[] = [];
    const all = noted(listedItems(batch, source, order, stop.signal), unreadable);
    const records = matching(digested(all, digest), where);
    const collected = collect(records, archive, target, {
      nameOf: flat ? namedForPeople() : namedById,
      keepsOthers: flat,
      width: AT_ONCE,
      signal: stop.signal,
      onImage: progress.note,
    });
    await writeIndexFiles(batch, collected, { archive: target, folder: '' });
    progress.close();
    await refreshIfStale(source, digest);
    where.complain();
    say(`${target.url}/index.html`);
    const code = tellTrouble(source, unreadable);
    return progress.sum.lost.length > 0 ? EXIT.someFailed : code;
  } catch (error) {
    if (!stop.signal.aborted) throw ofTarget(error, out);
    progress.close();
    return EXIT.stopped;
  } finally {
    stop.dispose();
  }
}

/** By the archive's own listing: the totals of the batch are what Redis knew when it ended. */
async function imagesOf(archive: Archive, batch: string, signal: AbortSignal): Promise<number | undefined> {
  let count = 0;
  try {
    for await (const _ of archive.list(layout.images(batch), signal)) count++;
  } catch {
    // Only the progress would have it; what keeps the archive from answering is told by what comes next.
    return undefined;
  }
  return count;
}
