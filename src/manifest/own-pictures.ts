import { stat } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { examinePhoto, type Photo, type PhotoMistake, tooLarge } from '../archive/examine-photo.ts';
import { foundPath } from '../files/found-path.ts';
import { inputReference, withInputs } from '../items/input-reference.ts';
import type { ImageRequest, NewItem } from '../items/item.ts';
import { requestsOf } from '../items/provider-list.ts';
import { inputBytesOf } from '../provider/models/fit.ts';
import type { Models } from '../provider/models/sheet.ts';
import type { Reach } from './reach.ts';
import { isWebAddress } from './request-schema.ts';

/** A picture of one's own that an item starts from: where it is now, and what it goes by ever after. */
export type OwnPicture = Pick<Photo, 'sha256' | 'bytes' | 'isTurned'> & { path: string; reference: string };

export type PictureMistake = { key: 'inputImage' | 'inputImages'; message: string; hint?: string };

type Asked = Pick<NewItem, 'request' | 'providers'>;

/** Looks at pictures that a manifest's requests name by their paths, at each of them once while it does not change. */
export type OwnPictures = {
  /** The request with references in place of paths, and what they stand for; or what is wrong with them. */
  settle(
    item: Asked,
    manifestFile: string,
    models: Models,
  ): Promise<{ request: ImageRequest; pictures: OwnPicture[] } | PictureMistake[]>;
  /** Where those are that were looked at. */
  paths(): Iterable<string>;
};

const MOST_REMEMBERED = 100_000;

export function ownPictures(reach: Reach, maxBytes: number): OwnPictures {
  const seen = new LRUCache<string, { mark: string; found: Photo | PhotoMistake }>({ max: MOST_REMEMBERED });

  async function look(path: string): Promise<Photo | PhotoMistake> {
    const refused = await reach(path);
    if (refused) return refused;
    const mark = await markOf(path);
    const known = seen.get(path);
    if (known?.mark === mark) return known.found;
    // Gone since: its batch has it by now, or says that it has not. A run that enqueues once more does not end for it.
    if (known && mark === '' && !('message' in known.found)) return known.found;
    const found = await examinePhoto(path, LARGEST_BYTES);
    seen.set(path, { mark, found });
    return found;
  }

  async function settle(item: Asked, manifestFile: string, models: Models) {
    const { request } = item;
    const references = new Map<string, string>();
    const pictures: OwnPicture[] = [];
    const mistakes: PictureMistake[] = [];
    // Whichever makes it must take it.
    const most = Math.min(...requestsOf(item).map((one) => inputBytesOf(one, models) ?? maxBytes));
    for (const { key, text } of pathsIn(request)) {
      if (references.has(text)) continue;
      const path = await foundPath(isAbsolute(text) ? text : join(dirname(manifestFile), text));
      const found = await look(path);
      const wrong = 'message' in found ? found : found.bytes > most ? tooLarge(found.bytes, most) : undefined;
      if (wrong) mistakes.push({ ...wrong, key, message: `${text}: ${wrong.message}` });
      else if (!('message' in found)) {
        const reference = inputReference(found);
        const { sha256, bytes, isTurned } = found;
        references.set(text, reference);
        pictures.push({ path, reference, sha256, bytes, isTurned });
      }
    }
    return mistakes.length > 0 ? mistakes : { request: withInputs(request, references), pictures };
  }
  return { settle, paths: () => seen.keys() };
}

/** Nothing is read that no model takes. */
const LARGEST_BYTES = 100_000_000;

export function hasPaths({ inputImage, inputImages }: ImageRequest): boolean {
  return inputImage !== undefined || inputImages !== undefined
    ? pathsIn({ inputImage, inputImages }).length > 0
    : false;
}

type Images = { [Key in 'inputImage' | 'inputImages']?: ImageRequest[Key] | undefined };

function pathsIn({ inputImage, inputImages = [] }: Images): { key: PictureMistake['key']; text: string }[] {
  const all = [
    ...(inputImage === undefined ? [] : [{ key: 'inputImage' as const, text: inputImage }]),
    ...inputImages.map((text) => ({ key: 'inputImages' as const, text })),
  ];
  return all.filter(({ text }) => !isWebAddress(text));
}

/** What a file has as long as nobody writes it. */
async function markOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found ? [found.ino, found.size, found.mtimeMs, found.ctimeMs].join('-') : '';
}
