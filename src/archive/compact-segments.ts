import type { Archive } from './archive.ts';
import { listBatch } from './batch-listing.ts';
import { layout } from './layout.ts';
import { readSegments } from './read-segments.ts';
import type { MarkedRecord } from './records.ts';
import { MOST_ITEMS } from './segment.ts';
import { readSegmentList, type SegmentEntry, updateSegmentList } from './segment-list.ts';
import { writeSegment } from './segment-writer.ts';

/** A segment of fewer items is a small one: it is worth writing again with others. */
const SMALL_ITEMS = MOST_ITEMS / 2;
/** So many small ones are put together. */
const MANY = 4;
/** Who reads by an older list may take so long to read a segment of it. */
const KEPT_MS = 3_600_000;

type Options = { now: number; onDamaged?: (why: string) => void };

/**
 * Puts many small segments together, without the lines that say nothing any more; then removes what no list has named for an hour.
 * First the new segments, then the list, which names the old ones as `former`; they go an hour later. Cut off anywhere, it leaves what
 * reads as before. Throws the archive's errors.
 */
export async function compactSegments(archive: Archive, batch: string, options: Options): Promise<void> {
  const { segments } = await readSegmentList(archive, batch);
  const small = segments.filter(({ items }) => items < SMALL_ITEMS);
  if (small.length >= MANY) await putTogether(archive, batch, small, options);
  await collectFormer(archive, batch, options.now);
}

async function putTogether(
  archive: Archive,
  batch: string,
  small: readonly SegmentEntry[],
  { now, onDamaged = () => {} }: Options,
): Promise<void> {
  const { places, marks } = await listBatch(archive, batch, small, undefined);
  const seen = new Set<string>();
  const holds = ({ id, mark }: { id: string; mark: string }) =>
    marks[places.get(id) ?? -1] === mark && !seen.has(id) && seen.add(id).size > 0;
  const written: SegmentEntry[] = [];
  let held: MarkedRecord[] = [];
  const flush = async () => {
    if (held.length > 0) written.push(await writeSegment(archive, batch, held));
    held = [];
  };
  for await (const line of readSegments({ archive, batch, onDamaged }, small, holds)) {
    held.push(line);
    if (held.length === MOST_ITEMS) await flush();
  }
  await flush();
  const [gone, kept] = [new Set(small.map(({ name }) => name)), new Set(written.map(({ name }) => name))];
  const since = new Date(now).toISOString();
  await updateSegmentList(archive, batch, (list) => ({
    ...list,
    segments: [...list.segments.filter(({ name }) => !gone.has(name) && !kept.has(name)), ...written],
    former: [
      ...(list.former ?? []).filter(({ name }) => !gone.has(name) && !kept.has(name)),
      ...[...gone].flatMap((name) => (kept.has(name) ? [] : [{ name, since }])),
    ],
  }));
}

/** Segments that others stand for since an hour, and those that were never listed: a crash came between. */
async function collectFormer(archive: Archive, batch: string, now: number): Promise<void> {
  const stored: { name: string; modifiedAt: number }[] = [];
  const prefix = layout.segments(batch);
  await archive.marks(prefix, {
    onPage: (page) => {
      for (const { key, modifiedAt } of page)
        if (key.endsWith(ENDING)) stored.push({ name: key.slice(prefix.length, -ENDING.length), modifiedAt });
    },
  });
  const { segments, former = [] } = await readSegmentList(archive, batch);
  const since = new Map(former.map((one) => [one.name, Date.parse(one.since)]));
  const listed = new Set(segments.map(({ name }) => name));
  const old = stored.filter(
    ({ name, modifiedAt }) => !listed.has(name) && now - (since.get(name) ?? modifiedAt) > KEPT_MS,
  );
  for (const { name } of old) await archive.remove(layout.segment(batch, name));
  if (!former.some((one) => now - Date.parse(one.since) > KEPT_MS)) return;
  await updateSegmentList(archive, batch, ({ former: were = [], ...list }) => {
    const left = were.filter((one) => now - Date.parse(one.since) <= KEPT_MS);
    return { ...list, ...(left.length > 0 && { former: left }) };
  });
}

const ENDING = '.jsonl.gz';
