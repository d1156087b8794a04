import { createDeflate } from 'node:zlib';
import sharp from 'sharp';
import type { HOSTILE_FAULTS } from '../faults.ts';
import { pngChunk } from './segments.ts';

type Bomb = { contentType: string; body: Buffer };
type PngShape = { width: number; height: number; bits: 1 | 8 | 16; channels: 1 | 3 | 4; interlaced: boolean };

const made = new Map<string, Promise<Bomb>>();

/** Small valid files that take much memory to decode: decompression bombs. */
export function bombOf(fault: (typeof HOSTILE_FAULTS)[number]): Promise<Bomb> {
  const bomb = made.get(fault) ?? makeBomb(fault);
  made.set(fault, bomb);
  return bomb;
}

function makeBomb(fault: (typeof HOSTILE_FAULTS)[number]): Promise<Bomb> {
  switch (fault) {
    case 'image-bomb':
      return png({ width: 20_000, height: 20_000, bits: 1, channels: 1, interlaced: false });
    case 'image-row-bomb':
      return png({ width: 64_000_000, height: 1, bits: 16, channels: 1, interlaced: false });
    case 'image-interlaced-bomb':
      return png({ width: 9_000, height: 9_000, bits: 16, channels: 1, interlaced: true });
    case 'image-interlaced':
      return png({ width: 6_000, height: 5_000, bits: 8, channels: 3, interlaced: true });
    case 'image-webp-bomb':
      return webp(16_383, 16_383);
    case 'image-webp-large':
      return webp(8_192, 8_024);
    case 'image-gif-bomb':
      return Promise.resolve({ contentType: 'image/gif', body: gif(60_000, 60_000) });
  }
}

/** Black. */
async function png({ width, height, bits, channels, interlaced }: PngShape): Promise<Bomb> {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([bits, channels === 1 ? 0 : channels === 3 ? 2 : 6, 0, 0, interlaced ? 1 : 0], 8);
  const rows = (across: number, down: number) =>
    across === 0 ? 0 : down * (1 + Math.ceil((across * bits * channels) / 8));
  const passes = ADAM7.map(([x, y, dx, dy]) => rows(Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)));
  const bytes = interlaced ? passes.reduce((sum, pass) => sum + pass, 0) : rows(width, height);
  const body = Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', await deflatedZeros(bytes)),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
  return { contentType: 'image/png', body };
}

/** Where the seven passes of an interlaced PNG begin, and their steps. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Without holding them. */
async function deflatedZeros(bytes: number): Promise<Buffer> {
  const deflate = createDeflate();
  const block = Buffer.alloc(1024 * 1024);
  const feed = (async () => {
    for (let left = bytes; left > 0; left -= block.length) {
      const hasRoom = deflate.write(block.subarray(0, Math.min(left, block.length)));
      if (!hasRoom) await new Promise((resolve) => deflate.once('drain', resolve));
    }
    deflate.end();
  })();
  const parts: Buffer[] = [];
  for await (const part of deflate) parts.push(part);
  await feed;
  return Buffer.concat(parts);
}

/** Of one colour, which lossless WebP needs no bits for: so the same file has any size that its header says. */
async function webp(width: number, height: number): Promise<Bomb> {
  const small = { width: 16, height: 16, channels: 3, background: '#345' } as const;
  const body = await sharp({ create: small }).webp({ lossless: true }).toBuffer();
  // `VP8L` length 2f, then 14 bits each: width - 1, height - 1.
  const at = body.indexOf('VP8L') + 9;
  const flags = body.readUInt32LE(at) & 0xf0000000;
  body.writeUInt32LE(((width - 1) | ((height - 1) << 14) | flags) >>> 0, at);
  return { contentType: 'image/webp', body };
}

/** One transparent pixel on a canvas of that size. */
function gif(width: number, height: number): Buffer {
  const body = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
  body.writeUInt16LE(width, 6);
  body.writeUInt16LE(height, 8);
  return body;
}
