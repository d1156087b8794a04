import { LRUCache } from 'lru-cache';
import pLimit from 'p-limit';
import { fileOf, layout } from '../../archive/layout.ts';
import type { Connections } from '../../wiring/connections.ts';
import type { Picture } from './batch.ts';

const MOST_SHOWN = 60;
const READS_AT_ONCE = 16;
const MOST_KEPT = { pictures: 5_000, batches: 100 };

/**
 * Returns the images of a batch that were archived last, the newest first, those of one item together. Images from before Redis knew the batch come
 * after them.
 */
export function pictureReader({ state, records, archive }: Pick<Connections, 'state' | 'records' | 'archive'>) {
  const limit = pLimit(READS_AT_ONCE);
  const pictures = new LRUCache<string, Picture[]>({
    max: MOST_KEPT.pictures,
    async fetchMethod(key) {
      const [batch = '', id = ''] = key.split('/');
      const record = await records.read(batch, id);
      if (!record) return undefined;
      const name = record.variant > 1 ? `${record.name} ${record.variant}` : record.name;
      const own = { id, name, prompt: record.request.prompt };
      const further = record.state === 'archived' ? (record.more ?? []) : [];
      return [own, ...further.map(({ number }) => ({ ...own, id: fileOf(id, number), name: `${name} · ${number}` }))];
    },
  });
  /** Listing is slow on S3, so each process does it once per batch. */
  const firstStored = new LRUCache<string, string[]>({
    max: MOST_KEPT.batches,
    async fetchMethod(batch) {
      const ids: string[] = [];
      const prefix = layout.thumbs(batch);
      for await (const key of archive.list(prefix)) {
        const [id = ''] = key.slice(prefix.length, -'.webp'.length).split('_');
        if (ids.at(-1) !== id) ids.push(id);
        if (ids.length === MOST_SHOWN) break;
      }
      return ids;
    },
  });

  return async (batch: string, archived: number): Promise<Picture[]> => {
    const recent = (await state.recentlyArchived(batch, MOST_SHOWN)).map(({ id }) => id);
    const enough = recent.length >= Math.min(archived, MOST_SHOWN);
    const ids = new Set(enough ? recent : [...recent, ...((await firstStored.fetch(batch)) ?? [])]);
    const found = await Promise.all(
      [...ids].slice(0, MOST_SHOWN).map((id) => limit(() => pictures.fetch(`${batch}/${id}`).catch(() => undefined))),
    );
    return found.flatMap((some) => some ?? []).slice(0, MOST_SHOWN);
  };
}
