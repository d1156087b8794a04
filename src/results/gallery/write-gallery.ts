import type { Archive } from '../../archive/archive.ts';
import { indexFiles } from '../../archive/layout.ts';
import { bytesOf } from '../../items/images.ts';
import type { Listed } from '../standings.ts';
import type { GalleryHead, GalleryItem, GalleryPart } from './gallery-data.ts';
import { galleryItem } from './gallery-item.ts';
import { pageHtml } from './page-html.ts';
import { scriptJson } from './script-json.ts';

/** A page contains at most so many items itself. A larger batch has data files of this many items each. */
export const PART_ITEMS = 1_000;

/** Where an index is written. `folder` is a prefix that ends in `/`, or empty for the archive's root. */
export type IndexPlace = { archive: Archive; folder: string };

/** Writes a batch's page record by record. Holds at most one part in memory. */
export function galleryWriter(batch: string, { archive, folder }: IndexPlace) {
  let held: GalleryItem[] = [];
  const parts: GalleryPart[] = [];
  const states: Record<string, number> = {};
  let [total, further, bytes] = [0, 0, 0];

  const writePart = async () => {
    const [first, last] = [held[0], held.at(-1)];
    if (!first || !last) return;
    const file = indexFiles.galleryPart(parts.length + 1);
    const script = `fluxBatchPart(${parts.length},${scriptJson(held)});\n`;
    await archive.write(folder + file, Buffer.from(script), { contentType: 'text/javascript; charset=utf-8' });
    const cards = held.reduce((sum, { more = [] }) => sum + 1 + more.length, 0);
    parts.push({ file, items: cards, from: first.name, to: last.name });
    held = [];
  };

  return {
    async add(record: Listed): Promise<void> {
      if (held.length === PART_ITEMS) await writePart();
      held.push(galleryItem(record, folder));
      states[record.state] = (states[record.state] ?? 0) + 1;
      total++;
      if (record.state !== 'archived') return;
      bytes += bytesOf(record);
      further += record.more?.length ?? 0;
    },
    /** `digest` is that of the index's rows. */
    async commit(facts: { sheet: boolean; digest: string }): Promise<void> {
      if (parts.length > 0) await writePart();
      const written = new Date().toISOString();
      const sheet = facts.sheet ? { sheet: indexFiles.contactSheet } : {};
      const beyond = further > 0 ? { further } : {};
      const head: GalleryHead = { batch, written, total, states, ...beyond, bytes, ...sheet, items: held, parts };
      const page = Buffer.from(pageHtml(head, facts.digest));
      await archive.write(folder + indexFiles.page, page, { contentType: 'text/html; charset=utf-8' });
    },
  };
}
