import pMap from 'p-map';
import type { Archive } from '../archive/archive.ts';
import { listIds } from '../archive/batch-listing.ts';
import { isImageThere } from '../archive/image-there.ts';
import { layout } from '../archive/layout.ts';
import { readSegmentList } from '../archive/segment-list.ts';
import { imagesOf } from '../items/images.ts';
import { printsOfNames } from '../plan/name-set.ts';
import type { Listed } from './standings.ts';

/** An item whose record says that its image is archived, and it is not there. */
export type Missing = { id: string; key: string };

export type ImageCheck = {
  /** A former version is nobody's loss any more: another image has its place. */
  note(record: Listed): void;
  /** Of those that were noted. */
  missing(): Promise<Missing[]>;
};

/** What a listing lacks may have come since; so many are looked for one by one. */
const MOST_LOOKED_FOR = 1_000;
const READS_AT_ONCE = 32;

/** Lists the images of a batch, to hold its records against. Throws the archive's errors. */
export async function openImageCheck(archive: Archive, batch: string, signal?: AbortSignal): Promise<ImageCheck> {
  const names = printsOfNames();
  const { segments } = await readSegmentList(archive, batch, signal);
  await listIds(archive, layout.images(batch), segments, { onId: names.add, ...(signal && { signal }) });
  const pictured = names.asSet();
  const suspects: Missing[] = [];
  return {
    note(record) {
      if (record.state !== 'archived' || record.standing?.current === false) return;
      for (const { image: key } of imagesOf(record))
        if (!pictured.has(nameIn(batch, key))) suspects.push({ id: record.id, key });
    },
    async missing() {
      if (suspects.length > MOST_LOOKED_FOR) return suspects;
      const isThere = await pMap(suspects, ({ key }) => isImageThere(archive, key), { concurrency: READS_AT_ONCE });
      return suspects.filter((_, index) => isThere[index] === false);
    },
  };
}

/** As its listing has it: without prefix and ending. */
function nameIn(batch: string, key: string): string {
  return key.slice(layout.images(batch).length, key.lastIndexOf('.'));
}
