import { messageOf } from '../errors.ts';
import { isReadable, type Unreadable } from '../items/unreadable.ts';
import type { ArchivedBatch } from '../results/archived-batch.ts';
import type { ImageCheck } from '../results/missing-images.ts';
import { refreshIndex } from '../results/refresh-index.ts';
import type { RowsDigest } from '../results/rows-digest.ts';
import type { Listed, Order, StandingPorts } from '../results/standings.ts';
import type { Where } from '../results/where.ts';
import { plain, say } from '../text/terminal.ts';
import { EXIT } from './exit-codes.ts';
import { tellUnreadable } from './tell-unreadable.ts';

/** Which items of which batch `results` was asked for. */
export type Source = StandingPorts & {
  batch: string;
  found: ArchivedBatch;
  where: Where;
  order: Order;
  refresh: boolean | undefined;
};

/** The exit code when nothing else is wrong. */
export function tellTrouble({ found }: Source, unreadable: readonly Unreadable[]): number {
  const noFile = found.file === undefined;
  if (noFile) say(`unreadable: ${plain(found.trouble)}; its records alone are shown`);
  unreadable.forEach(tellUnreadable());
  return noFile || unreadable.length > 0 ? EXIT.someFailed : EXIT.allArchived;
}

/** The user's request is already fulfilled here. So an index that cannot be written is a note, not an error. */
export async function refreshIfStale(source: Source, digest: RowsDigest): Promise<void> {
  const { batch, refresh } = source;
  if (refresh === false) return;
  try {
    if (await refreshIndex(batch, source, digest.hex()))
      say(`${batch}: the index in the archive was older than its records; written anew`);
  } catch (error) {
    say(`note: the index of ${batch} in the archive is older than its records, and stays so: ${messageOf(error)}`);
  }
}

export async function* noted(
  records: AsyncIterable<Listed>,
  unreadable: Unreadable[],
  images?: ImageCheck,
): AsyncGenerator<Listed> {
  for await (const found of records) {
    images?.note(found);
    if (!isReadable(found)) unreadable.push(found);
    yield found;
  }
}

export async function* matching(records: AsyncIterable<Listed>, where: Where): AsyncGenerator<Listed> {
  for await (const record of records) if (where.matches(record)) yield record;
}
