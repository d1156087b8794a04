import { readdir } from 'node:fs/promises';
import type { Archive } from '../archive/archive.ts';
import { UsageError } from '../errors.ts';
import { collectProgress } from '../results/collect-progress.ts';
import type { Listed } from '../results/standings.ts';
import { say } from '../text/terminal.ts';
import { EXIT } from './exit-codes.ts';
import { onStopSignals } from './signals.ts';
import { ofTarget, openTarget } from './target-folder.ts';

type Wanted = { batch: string; archive: Archive; chosen(signal: AbortSignal): AsyncIterable<Listed> };

/** Writes tar files into a folder, and says which. Resolves with the exit code: whether all images were what was archived. */
export async function bringShards(out: string, { batch, archive, chosen }: Wanted): Promise<number> {
  const { writeShards } = await import('../results/webdataset.ts');
  const target = await openTarget(out, archive);
  await refuseOthers(out, batch);
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
    if (!signal.aborted) throw ofTarget(error, out);
    progress.close();
    return EXIT.stopped;
  } finally {
    stop.dispose();
  }
}

/** Those of another selection would be overwritten one by one, and the folder hold parts of both. Throws a UsageError (`shards-there`). */
async function refuseOthers(out: string, batch: string): Promise<void> {
  const [first] = (await readdir(out))
    .filter((name) => name.startsWith(`${batch}-`) && /-\d{6}\.tar$/.test(name))
    .sort();
  if (first === undefined) return;
  throw new UsageError('shards-there', `${out} has shards of ${batch} already: ${first}`, {
    hint: 'Name another folder with --out, or remove them first: a selection is written whole each time.',
  });
}
