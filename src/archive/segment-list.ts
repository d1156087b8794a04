import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { FluxError } from '../errors.ts';
import type { Archive } from './archive.ts';
import { FileDeniedError } from './folder-errors.ts';
import { layout } from './layout.ts';

const NAME = /^[0-9a-f]{16}$/;

const entrySchema = z.object({
  name: z.string().regex(NAME),
  items: z.int().min(1),
  bytes: z.int().min(1),
  /** Some ids of its items, ascending, with the first and the last. */
  ids: z.array(z.string()),
});
export type SegmentEntry = z.infer<typeof entrySchema>;

/** `segments.json`. `former`: segments that others stand for since; who reads by an older list may still need them for a while. */
const listSchema = z.object({
  version: z.literal(1),
  segments: z.array(entrySchema),
  former: z.array(z.object({ name: z.string().regex(NAME), since: z.iso.datetime() })).exactOptional(),
});
export type SegmentList = z.infer<typeof listSchema>;

const EMPTY: SegmentList = { version: 1, segments: [] };
/** Far more than processes compete for one list. */
const MOST_TRIES = 30;
const LONGEST_WAIT_MS = 50;

/** One that is missing or cannot be read lists nothing: the records are read instead. Throws the archive's errors. */
export async function readSegmentList(archive: Archive, batch: string, signal?: AbortSignal): Promise<SegmentList> {
  try {
    return parse(await archive.read(layout.segmentList(batch), signal));
  } catch (thrown) {
    if (thrown instanceof FileDeniedError) return EMPTY;
    throw thrown;
  }
}

/** Changes the list over the version that was read. `change` is called again where another process was faster. */
export async function updateSegmentList(
  archive: Archive,
  batch: string,
  change: (now: SegmentList) => SegmentList,
): Promise<SegmentList> {
  const key = layout.segmentList(batch);
  const options = { contentType: 'application/json' };
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    const found = await archive.readVersioned(key);
    const list = change(parse(found?.body));
    const body = Buffer.from(`${JSON.stringify(list)}\n`);
    const written = found
      ? await archive.replace(key, body, { ...options, was: found.version })
      : await archive.create(key, body, options);
    if (written !== undefined) return list;
    await sleep(Math.random() * LONGEST_WAIT_MS);
  }
  throw new FluxError('archive-unreachable', `${key} in ${archive.url} was changed by others at each try to write it`);
}

function parse(body: Buffer | undefined): SegmentList {
  if (!body) return EMPTY;
  try {
    return listSchema.parse(JSON.parse(body.toString('utf8')));
  } catch {
    return EMPTY;
  }
}
