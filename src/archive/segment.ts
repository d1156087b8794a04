import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { z } from 'zod';
import { type ItemRecord, recordSchema } from '../items/record.ts';
import type { MarkedRecord } from './records.ts';

/** Records of a batch in one file, which never changes. Its name begins the sha256 of its bytes. */
export type Segment = { name: string; body: Buffer; items: number; ids: string[] };

/** A segment is held whole, so that its name can be its digest: about 8 MB of text. */
export const MOST_ITEMS = 5_000;
const MOST_TEXT_BYTES = 256 * 2 ** 20;
/** Of each segment the list knows some ids at even distances, from the first to the last: where a listing can be parted. */
const SAMPLES = 9;

const lineSchema = z.object({ mark: z.string().min(1), record: recordSchema });
const [compress, decompress] = [promisify(gzip), promisify(gunzip)];

/** Why a segment says nothing: bytes that are not those of its name, or that are no segment of this batch. */
export class DamagedSegmentError extends Error {
  override readonly name = 'DamagedSegmentError';
}

/** The same records give the same segment, in the order of their ids. */
export async function encodeSegment(records: readonly MarkedRecord[]): Promise<Segment> {
  const sorted = [...records].sort((a, b) => (a.record.id < b.record.id ? -1 : 1));
  const text = sorted.map(({ mark, record }) => `${JSON.stringify({ mark, record })}\n`).join('');
  const body = await compress(text, { level: 6 });
  const last = sorted.length - 1;
  const places = Array.from({ length: SAMPLES }, (_, sample) => Math.round((sample * last) / (SAMPLES - 1)));
  const ids = [...new Set(places)].map((place) => sorted[place]?.record.id ?? '');
  return { name: nameOf(body), body, items: sorted.length, ids };
}

/** Its lines. Throws a `DamagedSegmentError` before the first of them, or at one that is none. */
export async function decodeSegment(body: Buffer, name: string, batch: string): Promise<Iterable<MarkedRecord>> {
  if (nameOf(body) !== name) throw new DamagedSegmentError(`the digest of the segment ${name} is ${nameOf(body)}`);
  const text = await decompress(body, { maxOutputLength: MOST_TEXT_BYTES }).catch((error: unknown) => {
    throw new DamagedSegmentError(`the segment ${name} cannot be unpacked`, { cause: error });
  });
  return linesOf(text, name, batch);
}

function* linesOf(text: Buffer, name: string, batch: string): Generator<MarkedRecord> {
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf(10, start);
    if (end === -1) throw new DamagedSegmentError(`the segment ${name} is cut off`);
    yield parseLine(text.toString('utf8', start, end), name, batch);
    start = end + 1;
  }
}

function parseLine(line: string, name: string, batch: string): MarkedRecord {
  let found: { mark: string; record: ItemRecord };
  try {
    found = lineSchema.parse(JSON.parse(line));
  } catch (error) {
    throw new DamagedSegmentError(`a line of the segment ${name} is no record`, { cause: error });
  }
  if (found.record.batch === batch) return found;
  throw new DamagedSegmentError(`the segment ${name} is of the batch ${found.record.batch}`);
}

const nameOf = (body: Buffer) => hash('sha256', body, 'hex').slice(0, 16);
