import { randomBytes } from 'node:crypto';
import sharp, { type Sharp } from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { verifyImage } from '../../src/archive/image.ts';

type Format = 'jpeg' | 'png';
const images = new Map<string, { format: Format; body: Buffer }>();

beforeAll(async () => {
  const pixels = Buffer.from(randomBytes(640 * 480 * 3).map((noise, at) => ((at >> 4) & 0xc0) + (noise >> 3)));
  const picture = () => sharp(pixels, { raw: { width: 640, height: 480, channels: 3 } });
  const add = async (name: string, format: Format, encoded: Sharp) =>
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
});

const PNGS = ['PNG', 'interlaced PNG', 'palette PNG', 'PNG with alpha', '16-bit PNG'];
const NAMES = [
  'baseline JPEG',
  'progressive JPEG',
  'grey JPEG',
  'JPEG with EXIF and a colour profile',
  'CMYK JPEG',
  ...PNGS,
];

function image(name: string): { format: Format; body: Buffer } {
  const found = images.get(name);
  if (!found) throw new Error(`No image named ${name}`);
  return found;
}

test.each(NAMES)('a whole %s is verified and gets a thumbnail', async (name) => {
  const { format, body } = image(name);
  const verified = await verifyImage(body, format);
  if (!verified.ok) throw new Error(verified.message);
  const { thumbnail, ...facts } = verified.image;
  expect(facts).toEqual({
    width: 640,
    height: 480,
    bytes: body.length,
    contentType: `image/${format}`,
    extension: format === 'jpeg' ? 'jpg' : 'png',
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  const small = await sharp(thumbnail).metadata();
  expect(small.format).toBe('webp');
  expect(Math.max(small.width, small.height)).toBe(320);
});

test.each(NAMES)('a %s that was cut anywhere is refused', async (name) => {
  const { format, body } = image(name);
  const near = [1, 2, 3, 4, 8, 11, 12, 13, 16, 64, 512];
  const far = Array.from({ length: 40 }, (_, n) => Math.ceil((body.length * (n + 1)) / 41));
  for (const cut of [...near, ...far]) {
    const verified = await verifyImage(body.subarray(0, body.length - cut), format);
    expect(verified.ok, `cut by ${cut} of ${body.length} bytes`).toBe(false);
  }
});

test.each(PNGS)('a %s that lost its middle is refused', async (name) => {
  const { body } = image(name);
  const verified = await verifyImage(Buffer.concat([body.subarray(0, body.length / 2), body.subarray(-12)]), 'png');
  expect(verified.ok).toBe(false);
});

test.each(NAMES)('a %s with bytes behind its end is refused', async (name) => {
  const { format, body } = image(name);
  for (const tail of ['\n', '<!-- served by -->', body, Buffer.from([0xff, 0xd9])]) {
    const verified = await verifyImage(Buffer.concat([body, Buffer.from(tail)]), format);
    expect(verified).toEqual({ ok: false, message: expect.stringContaining('bytes follow the end') });
  }
});

test.each(PNGS)('a %s with a changed byte is refused', async (name) => {
  const { format, body } = image(name);
  for (let at = 200; at < body.length - 20; at += Math.floor(body.length / 20)) {
    const changed = Buffer.from(body);
    changed[at] = (changed[at] ?? 0) ^ 0x55;
    expect((await verifyImage(changed, format)).ok, `changed at ${at}`).toBe(false);
  }
});

test.each([
  ['nothing', Buffer.alloc(0), 'The body is empty, not a PNG image'],
  [
    'a page',
    Buffer.from('<!DOCTYPE html><p>Gone</p>'),
    'The body is text ("<!DOCTYPE html><p>Gone</p>"), not a PNG image',
  ],
  ['an XML error', Buffer.from('﻿<?xml version="1.0"?><Error/>'), expect.stringContaining('The body is text')],
  ['a JSON error', Buffer.from(' {"code":404}'), expect.stringContaining('The body is text')],
  ['zeros', Buffer.alloc(5000), 'The body is in an unknown format, not a PNG image'],
  ['a PNG signature only', Buffer.from('89504e470d0a1a0a', 'hex'), expect.stringContaining('its end is missing')],
])('%s is refused with what it is', async (_, body, message) => {
  expect(await verifyImage(body, 'png')).toEqual({ ok: false, message });
});

test('another format than ordered is refused', async () => {
  expect(await verifyImage(image('PNG').body, 'jpeg')).toEqual({
    ok: false,
    message: 'The body is a PNG image, not a JPEG image',
  });
  const webp = await sharp(image('PNG').body).webp().toBuffer();
  expect(await verifyImage(webp, 'png')).toEqual({ ok: false, message: 'The body is a WebP image, not a PNG image' });
});

test('an SVG never reaches a renderer', async () => {
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
  expect((await verifyImage(svg, 'png')).ok).toBe(false);
});

test('a decompression bomb is refused by its size, before it is decoded', async () => {
  const bomb = await sharp({ create: { width: 9000, height: 9000, channels: 3, background: 'black' } })
    .png({ palette: true })
    .toBuffer();
  expect(bomb.length).toBeLessThan(200_000);
  const verified = await verifyImage(bomb, 'png');
  expect(verified).toEqual({ ok: false, message: expect.stringMatching(/does not decode: .*pixel limit/) });
});

test('a smaller limit of pixels is kept', async () => {
  const { body } = image('PNG');
  expect((await verifyImage(body, 'png', { maxPixels: 640 * 480 })).ok).toBe(true);
  expect((await verifyImage(body, 'png', { maxPixels: 640 * 480 - 1 })).ok).toBe(false);
});

test('a small image is not blown up for its thumbnail', async () => {
  const body = await sharp({ create: { width: 40, height: 30, channels: 3, background: 'red' } })
    .jpeg()
    .toBuffer();
  const verified = await verifyImage(body, 'jpeg');
  if (!verified.ok) throw new Error(verified.message);
  expect(await sharp(verified.image.thumbnail).metadata()).toMatchObject({ width: 40, height: 30 });
});
