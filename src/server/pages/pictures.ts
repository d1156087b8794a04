import pLimit from 'p-limit';
import { layout } from '../../archive/layout.ts';
import type { Connections } from '../../wiring/connections.ts';
import type { Picture } from './batch.ts';
import { remember } from './remember.ts';

const MOST_SHOWN = 60;
const READS_AT_ONCE = 16;

/** The pictures of a batch that landed last, the newest first. What was archived before Redis knew the batch comes after them. */
export function pictureReader({ state, records, archive }: Connections) {
  const limit = pLimit(READS_AT_ONCE);
  const recall = remember(5_000, async (key): Promise<Picture | undefined> => {
    const [batch = '', id = ''] = key.split('/');
    const record = await records.read(batch, id);
    if (!record) return undefined;
    const name = record.variant > 1 ? `${record.name} ${record.variant}` : record.name;
    return { id, name, prompt: record.request.prompt };
  });
  /** Listing is dear where it is S3: once a batch and process. */
  const firstStored = remember(100, async (batch) => {
    const ids: string[] = [];
    const prefix = layout.thumbs(batch);
    for await (const key of archive.list(prefix)) {
      ids.push(key.slice(prefix.length, -'.webp'.length));
      if (ids.length === MOST_SHOWN) break;
    }
    return ids;
  });

  return async (batch: string, archived: number): Promise<Picture[]> => {
    const landed = (await state.landed(batch, MOST_SHOWN)).map(({ id }) => id);
    const enough = landed.length >= Math.min(archived, MOST_SHOWN);
    const ids = new Set(enough ? landed : [...landed, ...(await firstStored(batch))]);
    const found = await Promise.all(
      [...ids].slice(0, MOST_SHOWN).map((id) => limit(() => recall(`${batch}/${id}`).catch(() => undefined))),
    );
    return found.filter((picture) => picture !== undefined);
  };
}
