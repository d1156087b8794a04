import { imagesOf, lostNote, type NumberedImage, toldOf } from '../../items/images.ts';
import { inputReferencesOf } from '../../items/input-reference.ts';
import { providerOf } from '../../items/item.ts';
import type { ItemRecord } from '../../items/record.ts';
import { isReadable } from '../../items/unreadable.ts';
import type { Listed } from '../standings.ts';
import type { GalleryItem, Picture } from './gallery-data.ts';

/** A record as the page shows it; `folder` is the prefix of the page's own place, which paths are relative to. */
export function galleryItem(record: Listed, folder: string): GalleryItem {
  const former = record.standing?.current === false && { former: true as const };
  if (!isReadable(record)) {
    const { id, state, message, taskId } = record;
    return {
      ...{ id, name: id, variant: 1, state, prompt: '', model: '', parameters: {}, variables: {}, attempts: 0 },
      ...former,
      ...(taskId !== undefined && { taskId }),
      failure: { class: 'record-corrupt', message },
      times: {},
    };
  }
  const { prompt, model, parameters: own, inputImages, ...common } = record.request;
  // Of several that might have made it, who did.
  const provider = record.providers && { provider: providerOf(record.request) };
  const parameters = { ...common, ...provider, ...own, ...(inputImages && { inputImages: inputImages.join(' ') }) };
  const taskId = 'taskId' in record ? record.taskId : undefined;
  // They lie beside the page, in an archive as in a folder of results.
  const inputs = inputReferencesOf(record.request).map(({ reference }) => relativePath(reference, folder));
  return {
    id: record.id,
    name: record.name,
    variant: record.variant,
    state: record.state,
    prompt,
    model,
    parameters,
    variables: record.variables,
    attempts: record.attempts,
    ...former,
    ...(record.standing && record.standing.take > 1 && { take: record.standing.take }),
    ...(record.note !== undefined && { note: record.note }),
    ...(taskId !== undefined && { taskId }),
    ...(record.state === 'archived' && picturesOf(record, folder)),
    ...(inputs.length > 0 && { inputs }),
    ...('failure' in record && { failure: record.failure }),
    ...(record.state === 'failed' && record.refused && { refused: record.refused.key }),
    times: record.timings,
  };
}

type Archived = Extract<ItemRecord, { state: 'archived' }>;

/** The first has the word on those that could not be had. */
function picturesOf(record: Archived, folder: string): Pick<GalleryItem, 'picture' | 'number' | 'of' | 'more'> {
  const [first, ...others] = imagesOf(record);
  if (!first) return {};
  const notes = [first.imageNote, lostNote(record)].filter((note) => note !== undefined);
  const picture = { ...pictureOf(first, folder), ...(notes.length > 0 && { note: notes.join('; ') }) };
  const of = toldOf(record);
  if (of === 1) return { picture };
  const more = others.map((image) => ({ ...pictureOf(image, folder), number: image.number }));
  return { picture, number: first.number, of, ...(more.length > 0 && { more }) };
}

function pictureOf(record: NumberedImage, folder: string): Picture {
  const { width, height, bytes, contentType, sha256, imageNote } = record;
  const image = relativePath(record.image, folder);
  const thumb = relativePath(record.thumb, folder);
  return {
    image,
    thumb,
    width,
    height,
    bytes,
    contentType,
    sha256,
    ...(imageNote !== undefined && { note: imageNote }),
  };
}

/** Starts with `./`, so that no key can be read as a URL with a scheme. */
function relativePath(key: string, folder: string): string {
  const path = key.startsWith(folder) ? key.slice(folder.length) : key;
  return `./${path.split('/').map(encodeURIComponent).join('/')}`;
}
