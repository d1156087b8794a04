import { LRUCache } from 'lru-cache';
import type Sharp from 'sharp';
import type { Archive } from './archive.ts';
import { CHANNELS, type Pixels, paper, pixelsOf, place, rowsOf } from './pixels.ts';

export type CellSize = { width: number; height: number };
/** Of a sheet of few pictures, and of one of more than `FEW`, that would otherwise take 250 MB to be made. */
export const LARGE_CELL: CellSize = { width: 220, height: 165 };
export const SMALL_CELL: CellSize = { width: 180, height: 135 };
export const FEW = 200;

/** Pictures that are packed into one, so that they are unpacked at once. */
const OF_STRIP = 16;
/** Of one batch: as many as a sheet has. */
const MOST_OF_BATCH = 400;
const MOST_BATCHES = 100;
/** About 10 MB. */
const MOST_STRIPS = 100;
/** More than so many wait only while there is no idle time. */
const MOST_WAITING = FEW + 50;

/**
 * The pictures of a sheet of many, drawn in idle time, while their batch runs. In this process only: what is not here is drawn when it is
 * wanted.
 */
export type SheetCells = {
  /** The thumbnail of a picture that was archived just now. */
  add(thumb: string): void;
  /** Undefined where it was not drawn. */
  get(thumb: string): Promise<Pixels | undefined>;
  /** Of a batch whose sheet is drawn. */
  drop(folder: string): void;
};

type Place = { strip: Strip; row: number };
type Strip = { pictures: (Pixels & { thumb: string })[]; packed?: Buffer; opened?: Promise<Pixels> };

export function sheetCells(archive: Pick<Archive, 'read'>): SheetCells {
  const places = new Map<string, Place>();
  const wanted = wantedPictures();
  const strips: Strip[] = [];
  const waiting: string[] = [];
  let isDrawing = false;

  async function draw(): Promise<void> {
    if (isDrawing) return;
    isDrawing = true;
    try {
      for (let thumb = waiting.shift(); thumb !== undefined; thumb = waiting.shift()) {
        // What cannot be drawn now is tried when the sheet is.
        await drawOne(thumb).catch(() => {});
      }
    } finally {
      isDrawing = false;
    }
  }
  async function drawOne(thumb: string): Promise<void> {
    const body = await archive.read(thumb);
    if (!body || !wanted.has(folderOf(thumb)) || places.has(thumb)) return;
    const { default: sharp } = await import('sharp');
    const picture = await cellOf(sharp, body, SMALL_CELL);
    let strip = strips.at(-1);
    if (!strip || strip.pictures.length === OF_STRIP) {
      strip = { pictures: [] };
      strips.push(strip);
      for (const gone of strips.splice(0, strips.length - MOST_STRIPS)) forget(gone);
    }
    places.set(thumb, { strip, row: strip.pictures.length });
    strip.pictures.push({ ...picture, thumb });
    if (strip.pictures.length === OF_STRIP) await pack(sharp, strip);
  }
  function forget({ pictures }: Strip): void {
    for (const { thumb } of pictures) places.delete(thumb);
  }

  return {
    add(thumb) {
      if (waiting.length >= MOST_WAITING || places.has(thumb)) return;
      waiting.push(...wanted.add(thumb));
      void draw();
    },
    async get(thumb) {
      const found = places.get(thumb);
      if (!found) return undefined;
      const { strip, row } = found;
      const picture = strip.pictures[row];
      if (!picture || !strip.packed) return picture;
      strip.opened ??= unpack(strip.packed);
      const { width, height } = picture;
      const own = rowsOf(await strip.opened, row * SMALL_CELL.height, height);
      const cut = paper(width, height);
      place(own, cut, { left: 0, top: 0 }, cut);
      return cut;
    },
    drop(folder) {
      wanted.drop(folder);
      for (const strip of strips) delete strip.opened;
      for (const thumb of [...places.keys()]) if (folderOf(thumb) === folder) places.delete(thumb);
      const isLeft = ({ pictures }: Strip) => pictures.some(({ thumb }) => places.has(thumb));
      strips.splice(0, strips.length, ...strips.filter(isLeft));
    },
  };
}

/** Which pictures are worth drawing: those of a batch that has few, which may be all, are not, for a sheet of few has larger cells. */
function wantedPictures() {
  // What another process finishes is never dropped here.
  const batches = new LRUCache<string, { count: number; first: string[] }>({ max: MOST_BATCHES });
  return {
    /** What is to be drawn now that there is this one, too. */
    add(thumb: string): readonly string[] {
      const folder = folderOf(thumb);
      const { count, first } = batches.get(folder) ?? { count: 0, first: [] };
      if (count >= MOST_OF_BATCH) return [];
      const all = [...first, thumb];
      const isFew = count + 1 <= FEW;
      batches.set(folder, { count: count + 1, first: isFew ? all : [] });
      return isFew ? [] : all;
    },
    has: (folder: string): boolean => batches.has(folder),
    drop: (folder: string): boolean => batches.delete(folder),
  };
}

/** A thumbnail as large as its cell. Rejects where it is no image. */
export function cellOf(sharp: typeof Sharp, body: Buffer, { width, height }: CellSize): Promise<Pixels> {
  return pixelsOf(sharp(body).resize(width, height, { fit: 'inside' }));
}

async function pack(sharp: typeof Sharp, strip: Strip): Promise<void> {
  const { width, height } = SMALL_CELL;
  const whole = paper(width, height * strip.pictures.length);
  for (const [row, picture] of strip.pictures.entries())
    place(picture, whole, { left: 0, top: row * height }, SMALL_CELL);
  const raw = { width: whole.width, height: whole.height, channels: CHANNELS } as const;
  strip.packed = await sharp(whole.data, { raw }).jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer();
  for (const picture of strip.pictures) picture.data = NOTHING;
}

async function unpack(packed: Buffer): Promise<Pixels> {
  const { default: sharp } = await import('sharp');
  return pixelsOf(sharp(packed));
}

const NOTHING = Buffer.alloc(0);
/** `spring/` of `spring/thumbs/hero-1.webp`. */
const folderOf = (thumb: string) => thumb.slice(0, thumb.indexOf('/') + 1);
