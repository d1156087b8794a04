import { createHash } from 'node:crypto';
import sharp from 'sharp';
import type { Archive } from '../../src/archive/archive.ts';
import { updateBatchFile } from '../../src/archive/batch-file.ts';
import { layout } from '../../src/archive/layout.ts';
import { recordsIn } from '../../src/archive/records.ts';
import { itemId } from '../../src/items/item-id.ts';
import type { ItemRecord } from '../../src/items/record.ts';
import type { Prices } from '../../src/money/prices.ts';

export const PRICES: Prices = {
  date: '2026-03-01',
  source: 'test',
  usdPerCredit: 0.005,
  credits: { 'flux-kontext-pro': 8 },
};
type Archived = Extract<ItemRecord, { state: 'archived' }>;
export type Wanted = Partial<Pick<Archived, 'name' | 'variant' | 'variables' | 'request'>>;

const T0 = Date.parse('2026-03-01T10:00:00.000Z');
const at = (ms: number) => new Date(T0 + ms).toISOString();

/** An archived record of an item, without its image. */
export function archivedRecordOf(batch: string, wanted: Wanted = {}): Archived {
  const { name = 'hero', variant = 1, variables = {} } = wanted;
  const request = wanted.request ?? {
    prompt: `A picture of ${name}`,
    model: 'flux-kontext-pro',
    outputFormat: 'png',
    aspectRatio: '4:3',
  };
  const id = itemId(name, request, variant);
  return {
    version: 1,
    state: 'archived',
    id,
    name,
    batch,
    variant,
    priority: 0,
    variables,
    request,
    attempts: 1,
    earlierTaskIds: [],
    taskId: `task-${id}`,
    timings: {
      queued: at(0),
      submitted: at(2_000),
      completed: at(11_500),
      discovered: at(12_000),
      archived: at(12_400),
    },
    image: layout.image(batch, id, 'png'),
    thumb: layout.thumb(batch, id),
    bytes: 0,
    width: 40,
    height: 30,
    contentType: 'image/png',
    sha256: '',
    source: 'origin',
  };
}

export function failedRecordOf(batch: string, name: string, message: string): ItemRecord {
  const { image, thumb, bytes, width, height, contentType, sha256, source, timings, ...rest } = archivedRecordOf(
    batch,
    {
      name,
    },
  );
  const failure = { class: 'content-policy' as const, code: 400, message };
  return { ...rest, state: 'failed', timings: { queued: timings.queued }, failure };
}

/** A whole archived item: its picture, its thumbnail and its record. */
export async function storeItem(archive: Archive, record: Archived): Promise<Archived> {
  const hue = createHash('sha256').update(record.id).digest();
  const background = { r: hue[0] ?? 0, g: hue[1] ?? 0, b: hue[2] ?? 0 };
  const { width, height } = record;
  const picture = sharp({ create: { width, height, channels: 3, background } });
  const body = await picture.clone().png().toBuffer();
  const thumbnail = await picture.clone().resize(320, 320, { fit: 'inside' }).webp().toBuffer();
  const sha256 = createHash('sha256').update(body).digest('hex');
  const stored = { ...record, bytes: body.length, sha256 };
  await Promise.all([
    archive.write(record.image, body, { contentType: 'image/png' }),
    archive.write(record.thumb, thumbnail, { contentType: 'image/webp' }),
    recordsIn(archive).write(stored),
  ]);
  return stored;
}

export function storeBatchFile(archive: Archive, batch: string): Promise<void> {
  const settings = { apiUrl: 'http://127.0.0.1', rateLimit: '20/10s', onUnknown: 'hold' };
  return updateBatchFile(archive, batch, () => ({
    version: 1,
    batch,
    manifestDigest: 'none',
    created: at(0),
    settings,
  }));
}

export async function* eachOf<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
