import { randomBytes } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { verifyImage } from '../../src/archive/image.ts';
import type { ImageFormat } from '../../src/archive/image-bytes.ts';
import { memoryBudget } from '../../src/archive/memory-budget.ts';
import { pngChunk } from '../../src/simulator/pictures/segments.ts';

const images = new Map<string, { format: ImageFormat; body: Buffer }>();

beforeAll(async () => {
  const pixels = Buffer.from(randomBytes(640 * 480 * 3).map((noise, at) => ((at >> 4) & 0xc0) + (noise >> 3)));
  const picture = () => sharp(pixels, { raw: { width: 640, height: 480, channels: 3 } });
  const add = async (name: string, format: ImageFormat, encoded: Sharp) =>
    void images.set(name, { format, body: await encoded.toBuffer() });
  await add('baseline JPEG', 'jpeg', picture().jpeg());
  await add('progressive JPEG', 'jpeg', picture().jpeg({ progressive: true }));
  await add('grey JPEG', 'jpeg', picture().greyscale().jpeg());
  await add('JPEG with EXIF and a colour profile', 'jpeg', picture().withMetadata({ orientation: 6 }).jpeg());
  await add('CMYK JPEG', 'jpeg', picture().toColourspace('cmyk').jpeg());
  await add('PNG', 'png', picture().png());
  await add('interlaced PNG', 'png', picture().png({ progressive: true }));
  await add('palette PNG', 'png', picture().png({ palette: true }));
  await add('PNG with alpha', 'png', picture().ensureAlpha(0.5).png());
  await add('16-bit PNG', 'png', picture().toColourspace('rgb16').png());
  await add('lossy WebP', 'webp', picture().webp());
  await add('lossless WebP', 'webp', picture().webp({ lossless: true }));
  await add('GIF', 'gif', picture().gif());
  await add('AVIF', 'avif', picture().avif({ effort: 0 }));
  await add('TIFF', 'tiff', picture().tiff({ compression: 'lzw' }));
});

const PNGS = ['PNG', 'interlaced PNG', 'palette PNG', 'PNG with alpha', '16-bit PNG'];
const NAMES = [
  'baseline JPEG',
  'progressive JPEG',
  'grey JPEG',
  'JPEG with EXIF and a colour profile',
  'CMYK JPEG',
  ...PNGS,
  'lossy WebP',
  'lossless WebP',
  'GIF',
  'AVIF',
];

function image(name: string): { format: ImageFormat; body: Buffer } {
  const found = images.get(name);
  if (!found) throw new Error(`No image named ${name}`);
  return found;
}

test.each([...NAMES, 'TIFF'])('a whole %s is verified and gets a thumbnail', async (name) => {
  const { format, body } = image(name);
  const verified = await verifyImage(body);
  if (!verified.ok) throw new Error(verified.message);
  const { thumbnail, body: kept, ...facts } = verified.image;
  expect(kept.equals(body)).toBe(true);
  const isTurned = name === 'JPEG with EXIF and a colour profile';
  expect(facts).toEqual({
    format,
    remarks: [],
    // As it is shown.
    width: isTurned ? 480 : 640,
    height: isTurned ? 640 : 480,
    bytes: body.length,
    contentType: `image/${format}`,
    extension: format === 'jpeg' ? 'jpg' : format,
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  const small = await sharp(thumbnail).metadata();
  expect(small.format).toBe('webp');
  expect(Math.max(small.width, small.height)).toBe(320);
});

test.each([...NAMES, 'TIFF'])('a %s that was cut anywhere is refused', async (name) => {
  const { body } = image(name);
  const near = [1, 2, 3, 4, 8, 11, 12, 13, 16, 64, 512];
  const far = Array.from({ length: 40 }, (_, n) => Math.ceil((body.length * (n + 1)) / 41));
  for (const cut of [...near, ...far]) {
    const verified = await verifyImage(body.subarray(0, body.length - cut));
    expect(verified.ok, `cut by ${cut} of ${body.length} bytes`).toBe(false);
  }
});

test.each(PNGS)('a %s that lost its middle is refused', async (name) => {
  const { body } = image(name);
  const verified = await verifyImage(Buffer.concat([body.subarray(0, body.length / 2), body.subarray(-12)]));
  expect(verified.ok).toBe(false);
});

test.each(NAMES)('a %s with bytes behind its end is kept as it came, and says so', async (name) => {
  const { body } = image(name);
  for (const tail of ['\n', '\0\0\0', '<!-- served by -->', body, Buffer.from([0xff, 0xd9])]) {
    const came = Buffer.concat([body, Buffer.from(tail)]);
    const verified = await verifyImage(came);
    if (!verified.ok) throw new Error(verified.message);
    const count = came.length - body.length;
    expect(verified.image.remarks).toEqual([`${count} byte${count === 1 ? '' : 's'} behind the end of the image kept`]);
    expect(verified.image.body.equals(came)).toBe(true);
  }
});

test.each(NAMES)('a %s with blanks before it is kept without them, since no viewer would open it', async (name) => {
  const { body } = image(name);
  for (const head of ['\n', '\r\n\r\n', '\ufeff', '\0\0\0\0']) {
    const verified = await verifyImage(Buffer.concat([Buffer.from(head), body]));
    if (!verified.ok) throw new Error(verified.message);
    expect(verified.image.remarks).toEqual([expect.stringMatching(/^\d+ bytes? before the image dropped$/)]);
    expect(verified.image.body.equals(body)).toBe(true);
  }
});

test.each(PNGS)('a %s with a changed byte is refused', async (name) => {
  const { body } = image(name);
  for (let at = 200; at < body.length - 20; at += Math.floor(body.length / 20)) {
    const changed = Buffer.from(body);
    changed[at] = (changed[at] ?? 0) ^ 0x55;
    expect((await verifyImage(changed)).ok, `changed at ${at}`).toBe(false);
  }
});

test.each([
  ['nothing', Buffer.alloc(0), 'The body is empty'],
  ['a page', Buffer.from('<!DOCTYPE html><p>Gone</p>'), 'The body is text ("<!DOCTYPE html><p>Gone</p>")'],
  ['an XML error', Buffer.from('﻿<?xml version="1.0"?><Error/>'), expect.stringContaining('The body is text')],
  ['a JSON error', Buffer.from(' {"code":404}'), expect.stringContaining('The body is text')],
  ['zeros', Buffer.alloc(5000), 'The body is in an unknown format'],
  ['a PNG signature only', Buffer.from('89504e470d0a1a0a', 'hex'), expect.stringContaining('its end is missing')],
])('%s is refused with what it is', async (_, body, message) => {
  expect(await verifyImage(body)).toEqual({ ok: false, message, kind: expect.any(String) });
});

test.each([...NAMES, 'TIFF'])('half of a %s is told from what is no image', async (name) => {
  const { body } = image(name);
  const half = body.subarray(0, Math.ceil(body.length / 2));
  expect(await verifyImage(half)).toMatchObject({ ok: false, kind: 'cut-off' });
});

test('an SVG never reaches a renderer', async () => {
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
  expect((await verifyImage(svg)).ok).toBe(false);
});

test('a decompression bomb is refused by its size, before it is decoded', async () => {
  const bomb = await sharp({ create: { width: 10_100, height: 10_100, channels: 3, background: 'black' } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
  expect(bomb.length).toBeLessThan(300_000);
  const verified = await verifyImage(bomb);
  expect(verified).toEqual({
    ok: false,
    kind: 'refused',
    message: expect.stringMatching(/does not decode: .*pixel limit/),
  });
});

test('a smaller limit of pixels is kept', async () => {
  const { body } = image('PNG');
  expect((await verifyImage(body, { maxPixels: 640 * 480 })).ok).toBe(true);
  expect((await verifyImage(body, { maxPixels: 640 * 480 - 1 })).ok).toBe(false);
});

test('a small image is not blown up for its thumbnail', async () => {
  const body = await sharp({ create: { width: 40, height: 30, channels: 3, background: 'red' } })
    .jpeg()
    .toBuffer();
  const verified = await verifyImage(body);
  if (!verified.ok) throw new Error(verified.message);
  expect(await sharp(verified.image.thumbnail).metadata()).toMatchObject({ width: 40, height: 30 });
});

test('a picture that its EXIF turns has the width and height that are shown', async () => {
  const body = await sharp({ create: { width: 40, height: 30, channels: 3, background: 'red' } })
    .withMetadata({ orientation: 8 })
    .jpeg()
    .toBuffer();
  expect(await verifyImage(body)).toMatchObject({ ok: true, image: { width: 30, height: 40 } });
});

test('one row of 64 million pixels is refused by its header', async () => {
  const verified = await verifyImage(pngOf({ width: 64_000_000, height: 1, depth: 16 }));
  expect(verified).toEqual({
    ok: false,
    kind: 'refused',
    message: 'The PNG image has 64000000 × 1 pixels: over 32768 on a side',
  });
});

test('what would take too much memory is refused by its header', async () => {
  const verified = await verifyImage(pngOf({ width: 9_000, height: 9_000, depth: 16, interlaced: true }));
  expect(verified).toMatchObject({ ok: false, message: expect.stringMatching(/of memory, over 320 MB$/) });
});

test('the sum of what decodes at once is bounded, in turn, and what is given back twice counts once', async () => {
  const budget = memoryBudget(100);
  const order: string[] = [];
  const take = async (name: string, bytes: number) => {
    const release = await budget.take(bytes);
    order.push(name);
    return release;
  };
  const first = await take('first', 60);
  const second = take('all of it', 1_000);
  const third = take('small, but later', 10);
  await Promise.resolve();
  expect(order).toEqual(['first']);
  first();
  first();
  (await second)();
  (await third)();
  expect(order).toEqual(['first', 'all of it', 'small, but later']);
});

/** Its head and end, with hardly anything between. */
function pngOf({ width = 1, height = 1, depth = 8, interlaced = false }): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([depth, 6, 0, 0, interlaced ? 1 : 0], 8);
  const parts = [
    pngChunk('IHDR', head),
    pngChunk('IDAT', deflateSync(Buffer.alloc(9))),
    pngChunk('IEND', Buffer.alloc(0)),
  ];
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...parts]);
}
