import { contactSheet, MOST_ON_SHEET, type SheetPicture } from '../archive/contact-sheet.ts';
import { indexFiles, layout } from '../archive/layout.ts';
import type { SheetCells } from '../archive/sheet-cells.ts';
import { imagesOf } from '../items/images.ts';
import type { ItemRecord } from '../items/record.ts';
import { isReadable, type Unreadable } from '../items/unreadable.ts';
import { CSV_HEAD, csvLines, jsonLine } from './format.ts';
import { galleryWriter, type IndexPlace } from './gallery/write-gallery.ts';
import { type ImageCheck, type Missing, openImageCheck } from './missing-images.ts';
import { rowOf } from './row.ts';
import { rowsDigest } from './rows-digest.ts';
import { type Listed, listedItems, type StandingPorts } from './standings.ts';
import { textFile } from './text-file.ts';

export type IndexPorts = StandingPorts & {
  /** What of the contact sheet was drawn before. */
  cells?: SheetCells;
};
/** What an index was written without: records that cannot be read, and images that are not there. */
export type Damage = { unreadable: Unreadable[]; missing: Missing[] };

/** Writes a batch's index into the archive, from the records there. Idempotent. Rejects when aborted while it reads them. */
export async function writeIndex(batch: string, ports: IndexPorts, signal?: AbortSignal): Promise<Damage> {
  const images = await openImageCheck(ports.archive, batch, signal);
  const items = checked(listedItems(batch, ports, 'manifest', signal), images);
  const place = { archive: ports.archive, folder: layout.folder(batch) };
  const unreadable = await writeIndexFiles(batch, items, place, ports.cells);
  return { unreadable, missing: await images.missing() };
}

async function* checked(records: AsyncIterable<Listed>, { note }: ImageCheck): AsyncGenerator<Listed> {
  for await (const record of records) {
    note(record);
    yield record;
  }
}

/**
 * Writes a batch's whole index in one pass over its records: results.jsonl, results.csv, the gallery and the contact
 * sheet. Each file appears complete, the page last. Holds only a part of each file in memory. Idempotent. A record that
 * cannot be read has its row too; resolves with those.
 */
export async function writeIndexFiles(
  batch: string,
  records: AsyncIterable<Listed>,
  { archive, folder }: IndexPlace,
  cells?: SheetCells,
): Promise<Unreadable[]> {
  const begin = async (name: string, contentType: string) =>
    textFile(await archive.begin(folder + name, { contentType }));
  const jsonl = await begin(indexFiles.resultsJsonl, 'application/x-ndjson');
  const csv = await begin(indexFiles.resultsCsv, 'text/csv; charset=utf-8');
  const gallery = galleryWriter(batch, { archive, folder });
  const sheet: SheetPicture[] = [];
  const digest = rowsDigest();
  const unreadable: Unreadable[] = [];
  try {
    await csv.add(CSV_HEAD);
    for await (const record of records) {
      const row = rowOf(record);
      const line = jsonLine(row);
      digest.add(line);
      await jsonl.add(line);
      await csv.add(csvLines(row));
      await gallery.add(record);
      if (!isReadable(record)) unreadable.push(record);
      if (record.state === 'archived' && record.standing?.current !== false)
        sheet.push(...onSheet(record).slice(0, MOST_ON_SHEET - sheet.length));
    }
    await jsonl.commit();
    await csv.commit();
  } catch (error) {
    await Promise.all([jsonl.discard(), csv.discard()]);
    throw error;
  }
  const picture = await contactSheet(sheet, archive, cells);
  cells?.drop(layout.folder(batch));
  if (picture) await archive.write(folder + indexFiles.contactSheet, picture, { contentType: 'image/webp' });
  await gallery.commit({ sheet: picture !== undefined, digest: digest.hex() });
  return unreadable;
}

/** All images of an item, each named by its number where there are several. */
function onSheet(record: Extract<ItemRecord, { state: 'archived' }>): SheetPicture[] {
  const { name, variant } = record;
  const images = imagesOf(record);
  return images.map(({ thumb, number }) => ({
    thumb,
    variant,
    name: images.length > 1 ? `${name} · ${number}` : name,
  }));
}
