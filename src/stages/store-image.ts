import { embedMetadata } from '../archive/embed.ts';
import { type VerifiedImage, verifyAgain } from '../archive/image.ts';
import { layout } from '../archive/layout.ts';
import type { Finished } from '../items/item.ts';
import type { StoredImage } from '../items/record.ts';
import type { Fetched } from './fetch-image.ts';
import type { OneImage } from './keep-refused.ts';
import type { Ports } from './ports.ts';

/** Puts an image and its thumbnail into the archive. Repeating it writes the same bytes under the same key. Throws the archive's errors. */
export async function storeImage(
  { item, number }: OneImage,
  { image: came, source }: Extract<Fetched, { kind: 'image' }>,
  ports: Ports,
): Promise<StoredImage> {
  const { image: kept, remarks } =
    (item.embed ?? ports.settings.embed) ? await embed(item, came, ports) : { image: came, remarks: [] };
  const image = layout.image(item.batch, item.id, kept.extension, number);
  const thumb = layout.thumb(item.batch, item.id, number);
  await Promise.all([
    ports.archive.write(image, kept.body, { contentType: kept.contentType, sha256: kept.sha256 }),
    ports.archive.write(thumb, kept.thumbnail, { contentType: 'image/webp' }),
  ]);
  const { bytes, width, height, contentType, sha256 } = kept;
  const note = [...otherFormat(item, came), ...came.remarks, ...remarks].join('; ');
  const facts = { image, thumb, bytes, width, height, contentType, sha256, source };
  return note === '' ? facts : { ...facts, imageNote: note };
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
