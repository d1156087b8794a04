import { createRequire } from 'node:module';
import { pMapIterable } from 'p-map';
import type Sharp from 'sharp';
import type { OverlayOptions } from 'sharp';
import { escapeMarkup } from '../text/escape-markup.ts';
import type { Archive } from './archive.ts';

/** A sheet shows at most so many pictures, the first ones that it is given. A larger one could not be viewed. */
export const MOST_ON_SHEET = 400;

export type SheetPicture = { thumb: string; name: string; variant: number };

const [WIDTH, HEIGHT, CAPTION, GAP, MARGIN] = [220, 165, 24, 16, 30];
const READ_AHEAD = 8;

/** Draws a batch's thumbnails with their names into one WebP image. Undefined when there is no thumbnail to show. */
export async function contactSheet(pictures: readonly SheetPicture[], archive: Archive): Promise<Buffer | undefined> {
  const { default: sharp } = await import('sharp');
  const columns = Math.max(1, Math.ceil(Math.sqrt(pictures.length * 1.2)));
  const layers: OverlayOptions[] = [];
  const drawn = pMapIterable(pictures, (picture) => drawCell(sharp, archive, picture), { concurrency: READ_AHEAD });
  let shown = 0;
  for await (const cell of drawn) {
    if (!cell) continue;
    const left = MARGIN + (shown % columns) * (WIDTH + GAP);
    const top = MARGIN + Math.floor(shown / columns) * (HEIGHT + CAPTION + GAP);
    layers.push({ input: cell.picture, left: left + cell.dx, top: top + cell.dy });
    if (cell.caption) layers.push({ input: cell.caption, left, top: top + HEIGHT + 7 });
    shown++;
  }
  if (shown === 0) return undefined;
  const across = Math.min(columns, shown);
  const down = Math.ceil(shown / columns);
  const width = 2 * MARGIN + across * (WIDTH + GAP) - GAP;
  const height = 2 * MARGIN + down * (HEIGHT + CAPTION + GAP) - GAP;
  return sharp({ create: { width, height, channels: 3, background: '#f6f5f3' } })
    .composite(layers)
    .webp({ quality: 82, effort: 2 })
    .toBuffer();
}

/** Undefined when the thumbnail is missing or not an image. The sheet leaves it out. */
async function drawCell(sharp: typeof Sharp, archive: Archive, { thumb, name, variant }: SheetPicture) {
  const body = await archive.read(thumb);
  if (!body) return undefined;
  try {
    const { data, info } = await sharp(body)
      .resize(WIDTH, HEIGHT, { fit: 'inside' })
      .webp({ quality: 90, effort: 0 })
      .toBuffer({ resolveWithObject: true });
    const place = { dx: Math.floor((WIDTH - info.width) / 2), dy: HEIGHT - info.height };
    return { picture: data, ...place, caption: await drawCaption(sharp, variant > 1 ? `${name}  ${variant}` : name) };
  } catch {
    return undefined;
  }
}

async function drawCaption(sharp: typeof Sharp, caption: string): Promise<Buffer | undefined> {
  const words = caption.replace(/\p{C}/gu, '').slice(0, 60).trim();
  if (words === '') return undefined;
  const { data, info } = await sharp({
    text: {
      text: `<span foreground="#57534e">${escapeMarkup(words)}</span>`,
      font: 'DejaVu Sans 11',
      fontfile: FONT,
      dpi: 72,
      rgba: true,
    },
  })
    .png()
    .toBuffer({ resolveWithObject: true });
  if (info.width <= WIDTH && info.height <= CAPTION) return data;
  return sharp(data)
    .extract({ left: 0, top: 0, width: Math.min(info.width, WIDTH), height: Math.min(info.height, CAPTION - 4) })
    .toBuffer();
}

/** Our own font file, since the machine may have no fonts installed. */
const FONT = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');

/** Whether letters come out as letters: without its font the text is drawn as nothing, or not at all. */
export async function canWriteCaptions(): Promise<boolean> {
  const { default: sharp } = await import('sharp');
  try {
    const drawn = await drawCaption(sharp, 'spring');
    if (!drawn) return false;
    const { channels } = await sharp(drawn).stats();
    // The last channel is opacity: where letters are.
    return (channels.at(-1)?.max ?? 0) > 0;
  } catch {
    return false;
  }
}
