import { bytesOf, lostToAskFor, notesOf, type StoredImages, toldOf } from '../items/images.ts';
import type { Finished } from '../items/item.ts';
import type { ItemRecord } from '../items/record.ts';
import { eachImage } from '../items/sources.ts';
import { archivedRecord, recordWithTask } from '../items/transitions.ts';
import { archiveImages } from './archive-images.ts';
import { endWithout } from './archive-misses.ts';
import type { Ports, Run, StageOutcome } from './ports.ts';

/** Download, verify, put, record. Repeating it writes the same bytes under the same keys. */
export async function archive(item: Finished, run: Run, ports: Ports): Promise<StageOutcome> {
  const previous = await ports.records.read(item.batch, item.id);
  if (previous?.state === 'archived') {
    await ports.state.move(item, 'archived');
    return { kind: 'done' };
  }
  const found = await archiveImages(eachImage(item), run, ports);
  switch (found.kind) {
    case 'later':
      return found;
    case 'lost':
      return endWithout(item, previous, found.lost, ports);
    case 'stored':
      return record(item, previous, found.images, ports);
    default:
      return found satisfies never;
  }
}

async function record(
  item: Finished,
  previous: ItemRecord | undefined,
  stored: StoredImages,
  ports: Ports,
): Promise<StageOutcome> {
  // When another holder of the job was quicker its record stays.
  const change = (now: ItemRecord | undefined) =>
    now?.state === 'archived' ? recordWithTask(item, now) : archivedRecord(item, now, stored, ports.now());
  await ports.records.update(item.batch, item.id, change, previous);
  const note = notesOf(stored);
  const bytes = bytesOf(stored);
  if (note !== '') await ports.state.tellNote(item, note);
  await ports.state.move(item, 'archived', { bytes });
  ports.metrics.observe('archivedSeconds', Math.max(0, ports.now() - item.completedAt) / 1_000);
  const told = toldOf(stored);
  const fields = {
    ...{ batch: item.batch, item: item.id, stage: 'archive', taskId: item.taskId, bytes, source: stored.source },
    ...(told > 1 && { images: told }),
    ...(note !== '' && { note }),
  };
  const remedy = lostToAskFor(stored).length > 0 && { remedy: `flux-batch rescue ${item.batch}` };
  if (stored.lost) ports.log.error({ ...fields, lost: stored.lost.length, ...remedy }, 'archived in part');
  else ports.log.info(fields, 'archived');
  return { kind: 'done' };
}
