import type { Archive } from '../archive/archive.ts';
import { folderArchive } from '../archive/folder.ts';
import { refuseSamePlace } from '../results/collect.ts';
import { collectProgress } from '../results/collect-progress.ts';
import type { Listed } from '../results/standings.ts';
import { say } from '../text/terminal.ts';
import { EXIT } from './exit-codes.ts';
import { onStopSignals } from './signals.ts';

type Wanted = { batch: string; archive: Archive; chosen(signal: AbortSignal): AsyncIterable<Listed> };

/** Writes tar files into a folder, and says which. Resolves with the exit code: whether all images were what was archived. */
export async function bringShards(out: string, { batch, archive, chosen }: Wanted): Promise<number> {
  const { writeShards } = await import('../results/webdataset.ts');
  const target = folderArchive(out);
  refuseSamePlace(archive, target);
  await target.prepare();
  const stop = onStopSignals({
    stopsForFaults: false,
    saying: 'stopping; what is written of the last shard is given up.',
  });
  const { signal } = stop;
  const progress = collectProgress(process.stderr, undefined);
  try {
    const names = await writeShards(chosen(signal), archive, target, { batch, signal, onImage: progress.note });
    progress.close();
    for (const name of names) say(`${target.url}/${name}`);
    return progress.sum.lost.length > 0 ? EXIT.someFailed : EXIT.allArchived;
  } catch (error) {
    if (!signal.aborted) throw error;
    progress.close();
    return EXIT.stopped;
  } finally {
    stop.dispose();
  }
}
