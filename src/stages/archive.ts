import { embedMetadata } from '../archive/embed.ts';
import { type VerifiedImage, verifyAgain } from '../archive/image.ts';
import { layout } from '../archive/layout.ts';
import type { Finished } from '../items/item.ts';
import type { ItemRecord } from '../items/record.ts';
import { archivedRecord, recordWithTask, type StoredImage } from '../items/transitions.ts';
import { settleMisses } from './archive-misses.ts';
import { bodyRoom } from './body-room.ts';
import { type Fetched, fetchImage } from './fetch-image.ts';
import type { Ports, Run, StageOutcome } from './ports.ts';

/** Download, verify, put, record. Repeating it writes the same bytes under the same key. */
export async function archive(item: Finished, run: Run, ports: Ports): Promise<StageOutcome> {
  const previous = await ports.records.read(item.batch, item.id);
  if (previous?.state === 'archived') {
    await ports.state.move(item, 'archived');
    return { kind: 'done' };
  }
  const room = bodyRoom();
  try {
    const fetched = await fetchImage(item, run, room, ports);
    if (fetched.kind === 'missed') return await settleMisses(item, previous, fetched, run, ports);
    ports.faults.clear('images-unreachable');
    return await store(item, previous, fetched, ports);
  } finally {
    room.leave();
  }
}

async function store(
  item: Finished,
  previous: ItemRecord | undefined,
  { image: came, source }: Extract<Fetched, { kind: 'image' }>,
  ports: Ports,
): Promise<StageOutcome> {
  const { image: kept, remarks } =
    (item.embed ?? ports.settings.embed) ? await embed(item, came, ports) : { image: came, remarks: [] };
  const image = layout.image(item.batch, item.id, kept.extension);
  const thumb = layout.thumb(item.batch, item.id);
  await Promise.all([
    ports.archive.write(image, kept.body, { contentType: kept.contentType, sha256: kept.sha256 }),
    ports.archive.write(thumb, kept.thumbnail, { contentType: 'image/webp' }),
  ]);
  const { bytes, width, height, contentType, sha256 } = kept;
  const note = [...otherFormat(item, came), ...came.remarks, ...remarks].join('; ');
  const facts = { image, thumb, bytes, width, height, contentType, sha256, source };
  const stored: StoredImage = note === '' ? facts : { ...facts, imageNote: note };
  // When another holder of the job was quicker its record stays.
  const change = (now: ItemRecord | undefined) =>
    now?.state === 'archived' ? recordWithTask(item, now) : archivedRecord(item, now, stored, ports.now());
  await ports.records.update(item.batch, item.id, change, previous);
  if (note !== '') await ports.state.tellNote(item, note);
  await ports.state.move(item, 'archived', { bytes });
  ports.metrics.observe('archivedSeconds', Math.max(0, ports.now() - item.completedAt) / 1_000);
  ports.log.info(
    {
      ...{ batch: item.batch, item: item.id, stage: 'archive', taskId: item.taskId, bytes, source },
      ...(note !== '' && { note }),
    },
    'archived',
  );
  return { kind: 'done' };
}

function otherFormat({ request }: Finished, { format }: VerifiedImage): string[] {
  return request.outputFormat === undefined || format === request.outputFormat
    ? []
    : [`asked for ${request.outputFormat}, came as ${format}`];
}

/** With the item's metadata in its bytes. What is stored is looked at again, and left as it came when it is not the same image. */
async function embed(item: Finished, image: VerifiedImage, ports: Ports) {
  const { format } = image;
  const { batch, id, name, variant, taskId, request } = item;
  if (format !== 'jpeg' && format !== 'png')
    return { image, remarks: [`prompt and ids are not embedded in ${format}`] };
  const { prompt, model } = request;
  const embedded = embedMetadata(image.body, format, { prompt, model, batch, item: id, name, variant, taskId });
  const again = await verifyAgain(image, embedded);
  if (typeof again !== 'string') return { image: again, remarks: [] };
  ports.log.warn({ batch, item: id, stage: 'archive', taskId, reason: again }, 'metadata not embedded');
  return { image, remarks: [] };
}
