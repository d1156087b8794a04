import { pMapIterable } from 'p-map';
import type Sharp from 'sharp';
import type { Archive } from './archive.ts';
import { drawCaptions } from './captions.ts';
import { CHANNELS, type Pixels, paper, place } from './pixels.ts';
import { type CellSize, cellOf, FEW, LARGE_CELL, type SheetCells, SMALL_CELL } from './sheet-cells.ts';

/** A sheet shows at most so many pictures, the first ones that it is given. A larger one could not be viewed. */
export const MOST_ON_SHEET = 400;

export type SheetPicture = { thumb: string; name: string; variant: number };

const [CAPTION, GAP, MARGIN] = [24, 16, 30];
const READ_AHEAD = 8;

/**
 * Draws a batch's thumbnails with their names into one WebP image. Undefined when there is no thumbnail to show. Pixels are copied into
 * place: to compose hundreds of encoded pictures took the library four times as long, and 300 MB more. `cells` has what was drawn before.
 */
export async function contactSheet(
  pictures: readonly SheetPicture[],
  archive: Archive,
  cells?: SheetCells,
): Promise<Buffer | undefined> {
  const { default: sharp } = await import('sharp');
  const cell = pictures.length > FEW ? SMALL_CELL : LARGE_CELL;
  const columns = Math.max(1, Math.ceil(Math.sqrt(pictures.length * 1.2)));
  const sheet = paper(...sizeFor(cell, columns, pictures.length));
  const captions = await drawCaptions(
    sharp,
    pictures.map(({ name, variant }) => (variant > 1 ? `${name}  ${variant}` : name)),
  );
  const draw = async ({ thumb }: SheetPicture, index: number) => {
    const drawn = cell === SMALL_CELL ? await cells?.get(thumb) : undefined;
    return { picture: drawn ?? (await drawCell(sharp, archive, thumb, cell)), caption: captions[index] };
  };
  let shown = 0;
  for await (const { picture, caption } of pMapIterable(pictures, draw, { concurrency: READ_AHEAD })) {
    if (!picture) continue;
    const left = MARGIN + (shown % columns) * (cell.width + GAP);
    const top = MARGIN + Math.floor(shown / columns) * (cell.height + CAPTION + GAP);
    const middle = left + Math.floor((cell.width - picture.width) / 2);
    place(picture, sheet, { left: middle, top: top + cell.height - picture.height }, cell);
    const line = { width: cell.width, height: CAPTION };
    if (caption) place(caption, sheet, { left, top: top + cell.height + 7 }, line);
    shown++;
  }
  return shown === 0 ? undefined : encode(sharp, sheet, sizeFor(cell, columns, shown));
}

function sizeFor(cell: CellSize, columns: number, pictures: number): [width: number, height: number] {
  const [across, down] = [Math.min(columns, pictures), Math.ceil(pictures / columns)];
  return [2 * MARGIN + across * (cell.width + GAP) - GAP, 2 * MARGIN + down * (cell.height + CAPTION + GAP) - GAP];
}

/** Pictures that were missing leave room: rows below are left out without a copy of all that is above. */
function encode(sharp: typeof Sharp, sheet: Pixels, [width, height]: [number, number]): Promise<Buffer> {
  const rows = sheet.data.subarray(0, sheet.width * height * CHANNELS);
  const all = sharp(rows, { raw: { width: sheet.width, height, channels: CHANNELS } });
  const whole = width === sheet.width ? all : all.extract({ left: 0, top: 0, width, height });
  return whole.webp({ quality: 82, effort: 0 }).toBuffer();
}

/** Undefined when the thumbnail is missing or not an image. The sheet leaves it out. */
async function drawCell(
  sharp: typeof Sharp,
  archive: Archive,
  thumb: string,
  cell: CellSize,
): Promise<Pixels | undefined> {
  const body = await archive.read(thumb);
  return body && cellOf(sharp, body, cell).catch(() => undefined);
}
