import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect } from 'vitest';
import { imagesOf } from '../../src/items/images.ts';
import { type ItemRecord, recordSchema, type StoredImage } from '../../src/items/record.ts';
import type { Place } from './place.ts';

/** The records of a batch in a folder archive, read from the files alone. */
export async function recordsOf(place: Place, batch: string, archive = 'archive'): Promise<ItemRecord[]> {
  const folder = join(place.folder, archive, batch, 'items');
  const names = (await filesIn(folder)).filter((name) => name.endsWith('.json'));
  return Promise.all(
    names.map(async (name) => recordSchema.parse(JSON.parse(await readFile(join(folder, name), 'utf8')))),
  );
}

/** All but the leftovers of killed writes, which begin with a dot and are no part of an archive. */
export async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).filter((name) => !name.startsWith('.'));
}

export function countBy(records: readonly ItemRecord[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of records) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

/** Every image is one, agrees with its record, and has one: no file is there that no record names. */
export async function expectImagesAsRecorded(place: Place, batch: string, archive = 'archive'): Promise<void> {
  const root = join(place.folder, archive);
  const named: string[] = [];
  for (const record of await recordsOf(place, batch, archive)) {
    if (record.state !== 'archived') continue;
    for (const image of imagesOf(record)) {
      named.push(image.image);
      expectBodyAsRecorded(await readFile(join(root, image.image)), image);
      await expectDecodes(await readFile(join(root, image.image)), image);
      await sharp(await readFile(join(root, image.thumb))).stats();
    }
  }
  const stored = (await filesIn(join(root, batch, 'images'))).map((name) => `${batch}/images/${name}`);
  expect(stored.sort()).toEqual(named.sort());
}

export function expectBodyAsRecorded(body: Buffer, record: StoredImage): void {
  expect(body.length).toBe(record.bytes);
  expect(createHash('sha256').update(body).digest('hex')).toBe(record.sha256);
}

/** Decodes every pixel, which `metadata` would not. */
async function expectDecodes(body: Buffer, record: StoredImage): Promise<void> {
  const { data, info } = await sharp(body, { failOn: 'warning' })
    .autoOrient()
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect(data.length).toBeGreaterThan(0);
  expect([info.width, info.height]).toEqual([record.width, record.height]);
  const { format } = await sharp(body).metadata();
  expect(record.contentType).toBe(`image/${format === 'heif' ? 'avif' : format}`);
}

/** The file of an item's record, by its name. */
export async function recordFile(place: Place, batch: string, name: string): Promise<string> {
  const folder = join(place.folder, 'archive', batch, 'items');
  const found = (await readdir(folder)).find((file) => file.startsWith(`${name}-`));
  return join(folder, found ?? 'none');
}
