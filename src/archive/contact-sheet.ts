import { createRequire } from 'node:module';
import { pMapIterable } from 'p-map';
import type Sharp from 'sharp';
import type { Sharp as SharpImage } from 'sharp';
import { escapeMarkup } from '../text/escape-markup.ts';
import type { Archive } from './archive.ts';

/** A sheet shows at most so many pictures, the first ones that it is given. A larger one could not be viewed. */
export const MOST_ON_SHEET = 400;

export type SheetPicture = { thumb: string; name: string; variant: number };

const [WIDTH, HEIGHT, CAPTION, GAP, MARGIN] = [220, 165, 24, 16, 30];
const READ_AHEAD = 8;
const PAPER = { r: 0xf6, g: 0xf5, b: 0xf3 };
const CHANNELS = 3;

/** Bare pixels, red, green and blue, row by row. */
type Pixels = { data: Buffer; width: number; height: number };

/**
 * Draws a batch's thumbnails with their names into one WebP image. Undefined when there is no thumbnail to show. Pixels are copied into
 * place: to compose hundreds of encoded pictures took the library four times as long, and 300 MB more.
 */
export async function contactSheet(pictures: readonly SheetPicture[], archive: Archive): Promise<Buffer | undefined> {
  const { default: sharp } = await import('sharp');
  const columns = Math.max(1, Math.ceil(Math.sqrt(pictures.length * 1.2)));
  const sheet = paper(...sizeFor(columns, pictures.length));
  const drawn = pMapIterable(pictures, (picture) => drawCell(sharp, archive, picture), { concurrency: READ_AHEAD });
  let shown = 0;
  for await (const cell of drawn) {
    if (!cell) continue;
    const left = MARGIN + (shown % columns) * (WIDTH + GAP);
    const top = MARGIN + Math.floor(shown / columns) * (HEIGHT + CAPTION + GAP);
    const { picture, caption } = cell;
    place(picture, sheet, left + Math.floor((WIDTH - picture.width) / 2), top + HEIGHT - picture.height, HEIGHT);
    if (caption) place(caption, sheet, left, top + HEIGHT + 7, CAPTION);
    shown++;
  }
  if (shown === 0) return undefined;
  const [width, height] = sizeFor(columns, shown);
  return sharp(sheet.data, { raw: { width: sheet.width, height: sheet.height, channels: CHANNELS } })
    .extract({ left: 0, top: 0, width, height })
    .webp({ quality: 82, effort: 0 })
    .toBuffer();
}

function sizeFor(columns: number, pictures: number): [width: number, height: number] {
  const [across, down] = [Math.min(columns, pictures), Math.ceil(pictures / columns)];
  return [2 * MARGIN + across * (WIDTH + GAP) - GAP, 2 * MARGIN + down * (HEIGHT + CAPTION + GAP) - GAP];
}

function paper(width: number, height: number): Pixels {
  return { data: Buffer.alloc(width * height * CHANNELS, Buffer.from([PAPER.r, PAPER.g, PAPER.b])), width, height };
}

/** A caption is cut off where its cell ends. */
function place({ data, width, height }: Pixels, sheet: Pixels, left: number, top: number, mostHigh: number): void {
  const shown = Math.min(width, WIDTH) * CHANNELS;
  for (let y = 0; y < Math.min(height, mostHigh); y++) {
    const from = y * width * CHANNELS;
    data.copy(sheet.data, ((top + y) * sheet.width + left) * CHANNELS, from, from + shown);
  }
}

/** Undefined when the thumbnail is missing or not an image. The sheet leaves it out. */
async function drawCell(sharp: typeof Sharp, archive: Archive, { thumb, name, variant }: SheetPicture) {
  const body = await archive.read(thumb);
  if (!body) return undefined;
  try {
    const picture = await pixelsOf(sharp(body).resize(WIDTH, HEIGHT, { fit: 'inside' }));
    return { picture, caption: await drawCaption(sharp, variant > 1 ? `${name}  ${variant}` : name) };
  } catch {
    return undefined;
  }
}

async function pixelsOf(picture: SharpImage): Promise<Pixels> {
  const opaque = picture.flatten({ background: PAPER }).toColourspace('srgb').raw();
  const { data, info } = await opaque.toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

async function drawCaption(sharp: typeof Sharp, caption: string): Promise<Pixels | undefined> {
  const words = caption.replace(/\p{C}/gu, '').slice(0, 60).trim();
  if (words === '') return undefined;
  return pixelsOf(captionText(sharp, words));
}

function captionText(sharp: typeof Sharp, words: string): SharpImage {
  const text = `<span foreground="#57534e">${escapeMarkup(words)}</span>`;
  return sharp({ text: { text, font: 'DejaVu Sans 11', fontfile: FONT, dpi: 72, rgba: true } });
}

/** Our own font file, since the machine may have no fonts installed. */
const FONT = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');

/** Whether letters come out as letters: without its font the text is drawn as nothing, or not at all. */
export async function canWriteCaptions(): Promise<boolean> {
  const { default: sharp } = await import('sharp');
  try {
    const { channels } = await captionText(sharp, 'spring').stats();
    // The last channel is opacity: where letters are.
    return (channels.at(-1)?.max ?? 0) > 0;
  } catch {
    return false;
  }
}
