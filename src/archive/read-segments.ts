import { pMapIterable } from 'p-map';
import type { ItemRecord } from '../items/record.ts';
import type { Archive } from './archive.ts';
import { layout } from './layout.ts';
import type { MarkedRecord } from './records.ts';
import { DamagedSegmentError, decodeSegment } from './segment.ts';
import type { SegmentEntry } from './segment-list.ts';

export type SegmentSource = {
  archive: Archive;
  batch: string;
  /** Told of a segment that is lost or damaged. What it has is passed over. */
  onDamaged: (why: string) => void;
  signal?: AbortSignal | undefined;
};

const AHEAD = 3;

/** The lines of these segments for which `isWanted` is true. Holds a few segments at a time. Throws the archive's errors. */
export async function* readSegments(
  source: SegmentSource,
  segments: readonly Pick<SegmentEntry, 'name'>[],
  isWanted: (line: { id: string; mark: string }) => boolean,
): AsyncGenerator<{ record: ItemRecord; mark: string }> {
  const reading = pMapIterable(segments, ({ name }) => linesOf(source, name), { concurrency: AHEAD });
  for await (const lines of reading) {
    try {
      for (const line of lines) if (isWanted({ id: line.record.id, mark: line.mark })) yield line;
    } catch (error) {
      tellDamage(error, source);
    }
  }
}

async function linesOf(source: SegmentSource, name: string): Promise<Iterable<MarkedRecord>> {
  const { archive, batch, onDamaged, signal } = source;
  const body = await archive.read(layout.segment(batch, name), signal);
  if (!body) {
    onDamaged(`the segment ${name} is missing`);
    return [];
  }
  return decodeSegment(body, name, batch).catch((error: unknown) => {
    tellDamage(error, source);
    return [];
  });
}

function tellDamage(error: unknown, { onDamaged }: SegmentSource): void {
  if (!(error instanceof DamagedSegmentError)) throw error;
  onDamaged(error.message);
}
