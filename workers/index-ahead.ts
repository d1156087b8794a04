import type { Records } from '../src/archive/records.ts';
import { notedRecords, segmentKeeper } from '../src/archive/segment-keeper.ts';
import { type SheetCells, sheetCells } from '../src/archive/sheet-cells.ts';
import { imagesOf } from '../src/items/images.ts';
import type { Connections } from '../src/wiring/connections.ts';

/** What of a batch's end is done while the batch still runs: segments of what this process ends, and the pictures of the contact sheet. */
export type IndexAhead = {
  /** What is written by these is noted. */
  records: Records;
  cells: SheetCells;
  /** Before a batch is read as a whole: what is held of it is in a segment. */
  flush(batch: string): Promise<void>;
};

export function indexAhead({ archive, log }: Pick<Connections, 'archive' | 'log'>, records: Records): IndexAhead {
  const cells = sheetCells(archive);
  const onTrouble = (batch: string, reason: string) => log.debug({ batch, reason }, 'segment not written');
  const segments = segmentKeeper({ archive, records, onTrouble });
  const noted = notedRecords(records, (record) => {
    segments.note(record);
    if (record.state === 'archived') for (const { thumb } of imagesOf(record)) cells.add(thumb);
  });
  return { records: noted, cells, flush: segments.flush };
}
